-- rates.is_early: whether a day ($1) is beyond tomorrow, by UTC: it is tomorrow somewhere already.
select $1::date > (now() at time zone 'utc')::date + 1
