-- payouts.lock_program: a program of the one who asks ($2, null for the operator). What takes from its payable money,
-- a run or an exchange, waits here for the one before.
select p.id
from programs p
where p.id = $1 and ($2::bigint is null or p.advertiser_id = $2)
for no key update
