-- report.commissions: clicks, sales and commissions by $1 and by currency. $2 advertiser, $3 affiliate, $4 program;
-- from ($5 moment or $6 day; absent: 30 days before the end) to ($7, $8; absent: now and later), half-open, days in
-- the advertiser's time zone; $9 rows at most.
-- What was taken back of a commission is reversed, of one that was rejected all. A share of another's sale is a
-- commission and no further sale; its time is that of the hit that made the conversion known. It stands in a row of the
-- sale's currency; in the report of one affiliate, who has no part in the sale, in one of its own.
-- Clicks are counted in the row of the advertiser's currency. Amounts of different currencies are never added.
with offered as (
  select p.id, a.currency, a.timezone, coalesce(bound.until, 'infinity') as until,
         coalesce($5::timestamptz, $6::date::timestamp at time zone a.timezone,
                  coalesce(bound.until, now()) - interval '30 days') as since
  from programs p
  join advertisers a on a.id = p.advertiser_id
  cross join lateral (select coalesce($7::timestamptz, $8::date::timestamp at time zone a.timezone) as until) bound
  where ($2::bigint is null or p.advertiser_id = $2) and ($4::bigint is null or p.id = $4)
), happened as (
  select k.program_id, k.link_id, k.id as click_id, o.timezone, k.clicked_at as at, 1 as click,
         null::text as status, o.currency, 0::numeric as amount,
         o.currency as commission_currency, 0::numeric as commission, 0::numeric as reversed, 0 as sale
  from clicks k
  join offered o on o.id = k.program_id
  where k.clicked_at >= o.since and k.clicked_at < o.until and ($3::bigint is null or k.affiliate_id = $3)
  union all
  select c.program_id, c.link_id, c.click_id, o.timezone, c.received_at, 0,
         c.status, c.currency, c.amount, c.commission_currency, c.commission,
         case when c.status in ('rejected', 'reversed') then c.commission else c.reversed end, 1
  from conversions c
  join offered o on o.id = c.program_id
  where c.received_at >= o.since and c.received_at < o.until and ($3::bigint is null or c.affiliate_id = $3)
  union all
  select s.program_id, null, null, o.timezone, made.at, 0, s.status, coalesce(sold.currency, s.currency), 0,
         s.currency, s.commission,
         case when s.status in ('rejected', 'reversed') then s.commission else s.reversed end, 0
  from shares s
  join offered o on o.id = s.program_id
  cross join lateral (select to_timestamp((s.conversion_id >> 22) / 1000.0) as at) made
  left join conversions sold on $3::bigint is null and sold.id = s.conversion_id
  where s.conversion_id >= least(greatest(floor(extract(epoch from o.since) * 1000), 0), 2199023255551)::bigint << 22
    and made.at >= o.since and made.at < o.until and s.commission > 0
    and ($3::bigint is null or s.affiliate_id = $3)
), keyed as (
  select h.*, case $1
           when 'day' then to_char(h.at at time zone h.timezone, 'YYYY-MM-DD')
           when 'program' then h.program_id::text
           when 'link' then h.link_id::text
           when 's1' then k.s1 when 's2' then k.s2 when 's3' then k.s3 when 's4' then k.s4 when 's5' then k.s5
         end as key
  from happened h
  left join clicks k on k.id = h.click_id and $1 like 's%'
)
select key, currency, commission_currency,
       sum(click) as clicks,
       coalesce(sum(sale) filter (where status not in ('rejected', 'reversed')), 0) as conversions,
       coalesce(sum(amount) filter (where status not in ('rejected', 'reversed')), 0) as sales,
       coalesce(sum(commission - reversed) filter (where status = 'pending'), 0) as pending,
       coalesce(sum(commission - reversed) filter (where status = 'payable'), 0) as payable,
       coalesce(sum(commission - reversed) filter (where status = 'paid'), 0) as paid,
       coalesce(sum(reversed), 0) as reversed
from keyed
group by key, currency, commission_currency
order by key nulls last, currency, commission_currency
limit $9
