-- ties.hold: the customers of conversions ($1) of the advertiser who asks ($2, null for the operator) on which a person is
-- to decide, as `ties.lock` holds them and in its order, before any row is locked: settling locks in that order, too.
-- None, where no renewals can follow.
select pg_advisory_xact_lock(key)
from (select distinct hashtextextended(format('tributary.customer %s %s', c.program_id, c.facts -> 'customer' ->> 'value'), 0) as key
      from conversions c
      join programs p on p.id = c.program_id
      where c.id = any($1) and ($2::bigint is null or p.advertiser_id = $2)
        and c.kind = 'sale' and c.facts -> 'customer' ->> 'value' is not null
        and exists (select from plans t where t.program_id = c.program_id and t.terms ? 'recurring')
      order by 1) k
