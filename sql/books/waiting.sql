-- books.waiting: conversions that wait for a rate which is known now: $1 of them at most, no quote older than $2 days.
-- The rate is that of the day before the sale; a euro needs none.
select c.id
from conversions c
join programs p on p.id = c.program_id
join advertisers a on a.id = p.advertiser_id
cross join lateral (select (c.received_at at time zone 'UTC')::date - 1 as day) asked
where c.held and 'rate_missing' = any (c.reasons)
  and not exists (
    select
    from unnest(array[c.currency, a.currency]) needed (currency)
    where needed.currency <> 'EUR'
      and not exists (
        select from rates r
        where r.currency = needed.currency and r.on_date between asked.day - $2::integer and asked.day))
order by c.id
limit $1
