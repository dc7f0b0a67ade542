-- rates.differing: which of these another quote stands for.
-- $1 currencies, $2 days, $3 per euro.
select r.currency, r.on_date, r.per_euro as kept, r.source, told.per_euro as told
from unnest($1::text[], $2::date[], $3::numeric[]) as told (currency, on_date, per_euro)
join rates r on r.currency = told.currency and r.on_date = told.on_date
where r.per_euro <> told.per_euro
order by r.on_date, r.currency
