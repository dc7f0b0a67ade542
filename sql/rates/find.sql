-- rates.find: of each currency and day that is asked for the last quote, if it is not too old.
-- $1 currencies, $2 days, $3 days that a quote may be old.
select distinct r.currency, r.on_date, r.per_euro, r.source
from unnest($1::text[], $2::date[]) as asked (currency, on_date)
cross join lateral (
  select r.currency, r.on_date, r.per_euro, r.source
  from rates r
  where r.currency = asked.currency and r.on_date between asked.on_date - $3::integer and asked.on_date
  order by r.on_date desc
  limit 1
) r
