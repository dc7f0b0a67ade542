-- ties.hold: the customer of a conversion ($1) on which a person is to decide, as `ties.lock` holds him and before its row
-- is locked: settling locks in that order, too. None, where no renewals can follow.
select pg_advisory_xact_lock(hashtextextended(format('tributary.customer %s %s', c.program_id, c.facts -> 'customer' ->> 'value'), 0))
from conversions c
where c.id = $1 and c.kind = 'sale' and c.facts -> 'customer' ->> 'value' is not null
  and exists (select from plans p where p.program_id = c.program_id and p.terms ? 'recurring')
