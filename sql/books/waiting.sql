-- books.waiting: conversions that wait for a rate which is known now: $1 of them at most, no quote older than $2 days. In no
-- order, so that those which cannot be booked hold up none. One that a person approved meanwhile waits, too.
-- The rate is that of the day before the sale; a euro needs none.
select c.id
from conversions c
join programs p on p.id = c.program_id
join advertisers a on a.id = p.advertiser_id
cross join lateral (select (c.received_at at time zone 'UTC')::date - 1 as day) asked
where c.status in ('pending', 'payable') and 'rate_missing' = any (c.reasons)
  and not exists (
    select
    from unnest(array[c.currency, a.currency]) needed (currency)
    where needed.currency <> 'EUR'
      and not exists (
        select from rates r
        where r.currency = needed.currency and r.on_date between asked.day - $2::integer and asked.day))
order by random()
limit $1
