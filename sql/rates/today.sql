-- rates.today: the day that it is, by UTC.
select (now() at time zone 'utc')::date
