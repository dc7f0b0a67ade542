-- books.lock_all: conversions ($1) of the advertiser who asks ($2, null for the operator), all that one call decides on, in
-- the order of their keys: that in which settling writes and payouts lock. Which of them are renewals.
select c.id, c.renews is not null as is_renewal
from conversions c
join programs p on p.id = c.program_id
where c.id = any($1) and ($2::bigint is null or p.advertiser_id = $2)
order by c.program_id, c.kind desc, c.order_key collate "C"
for update of c
