-- ledger.due: conversions whose hold period has passed, taken by one worker at a time, with what is left of their own
-- affiliates' commissions. An approval carries the cause of what was booked, held or restored last.
select c.id, c.program_id, c.affiliate_id, c.commission - c.reversed as commission, c.commission_currency,
       coalesce((select t.cause_id from transfers t
                 where t.conversion_id = c.id and t.code in ('accrue', 'hold', 'restore')
                 order by t.id desc limit 1), c.id) as cause_id
from conversions c
where c.status = 'pending' and not c.held and c.hold_until <= $1
order by c.hold_until
limit $2
for update of c skip locked
