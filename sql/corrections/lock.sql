-- corrections.lock: a list of the advertiser who asks ($2, null for the operator): one call at a time corrects by it.
-- Whether it has lines of which nobody can tell the order: what seems to be extra may be one of those.
select r.status,
       exists (select from reconciliation_findings f
               where f.reconciliation_id = r.id and f.kind = 'unreadable' and f.order_id is null) as is_blind
from reconciliations r
join programs p on p.id = r.program_id
where r.id = $1 and ($2::bigint is null or p.advertiser_id = $2)
for update of r
