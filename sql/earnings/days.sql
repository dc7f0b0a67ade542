-- earnings.days: an affiliate's sales by day and currency, of the last $2 days as the advertiser's calendar has them,
-- with what is left of his commissions. A share of another's sale is a commission, and no sale of his.
with earned as (
  select c.program_id, c.received_at, c.currency, c.commission_currency, c.status, 1 as sale, c.amount,
         c.commission - c.reversed as commission
  from conversions c
  where c.affiliate_id = $1 and c.received_at >= now() - make_interval(days => $2 + 1)
  union all
  select s.program_id, to_timestamp((s.conversion_id >> 22) / 1000.0), s.currency, s.currency, s.status, 0, 0,
         s.commission - s.reversed
  from shares s
  where s.affiliate_id = $1 and s.commission > 0
    and s.conversion_id >= (extract(epoch from now() - make_interval(days => $2 + 1)) * 1000)::bigint << 22
)
select (e.received_at at time zone a.timezone)::date as day,
       e.currency, e.commission_currency, e.status, sum(e.sale), sum(e.amount), sum(e.commission)
from earned e
join programs p on p.id = e.program_id
join advertisers a on a.id = p.advertiser_id
where e.status in ('pending', 'payable', 'paid')
  and (e.received_at at time zone a.timezone)::date > (now() at time zone a.timezone)::date - $2
group by day, e.currency, e.commission_currency, e.status
