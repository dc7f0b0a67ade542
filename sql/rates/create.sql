-- rates.create: what a person sets; nothing where a quote is there already.
-- $1 currency, $2 day, $3 per euro, $4 who quoted.
insert into rates (currency, on_date, per_euro, source)
values ($1, $2, $3, $4)
on conflict (currency, on_date) do nothing
returning id
