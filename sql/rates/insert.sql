-- rates.insert: what was imported; a quote that is there already stands.
-- $1 currencies, $2 days, $3 per euro, $4 who quoted.
insert into rates (currency, on_date, per_euro, source)
select told.currency, told.on_date, told.per_euro, $4
from unnest($1::text[], $2::date[], $3::numeric[]) as told (currency, on_date, per_euro)
order by told.currency, told.on_date
on conflict (currency, on_date) do nothing
