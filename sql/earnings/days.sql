-- earnings.days: an affiliate's sales by day and currency, of the last $2 days as the advertiser's calendar has them.
select (c.received_at at time zone a.timezone)::date as day,
       c.currency, c.commission_currency, c.status, count(*), sum(c.amount), sum(c.commission)
from conversions c
join programs p on p.id = c.program_id
join advertisers a on a.id = p.advertiser_id
where c.affiliate_id = $1
  and c.status in ('pending', 'payable', 'paid')
  and c.received_at >= now() - make_interval(days => $2 + 1)
  and (c.received_at at time zone a.timezone)::date > (now() at time zone a.timezone)::date - $2
group by day, c.currency, c.commission_currency, c.status
