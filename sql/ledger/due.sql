-- ledger.due: conversions whose hold period has passed, taken by one worker at a time.
select c.id, p.advertiser_id, c.affiliate_id, c.commission, c.commission_currency, c.status,
       coalesce((select t.cause_id from transfers t
                 where t.conversion_id = c.id and t.code = 'accrue' order by t.id desc limit 1), c.id) as cause_id
from conversions c
join programs p on p.id = c.program_id
where c.status = 'pending' and not c.held and c.hold_until <= $1
order by c.hold_until
limit $2
for update of c skip locked
