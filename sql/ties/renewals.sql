-- ties.renewals: by what the renewals of these customers ($1 programs, $2 names) are recognised that have no evidence of
-- their own. Locked, in the order of their keys, before they are read: who releases or pays them holds no customer.
select c.program_id, c.kind, c.order_key
from unnest($1::bigint[], $2::text[]) k (program_id, customer)
join conversions c on c.program_id = k.program_id and c.renews = k.customer
order by c.program_id, c.kind desc, c.order_key collate "C"
for update of c
