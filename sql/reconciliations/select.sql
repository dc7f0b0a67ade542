-- reconciliations.select: one or a page, newest first, each with its counts.
-- $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit; $6 only this program's.
select r.id, r.program_id, r.status, r.failure, r.span_from, r.span_to, r.lines, r.created_at, r.compared_at,
       array(select c.kind from reconciliation_counts c where c.reconciliation_id = r.id order by c.kind) as kinds,
       array(select c.found from reconciliation_counts c where c.reconciliation_id = r.id order by c.kind) as found,
       array(select c.corrected from reconciliation_counts c where c.reconciliation_id = r.id order by c.kind) as corrected,
       array(select c.failed from reconciliation_counts c where c.reconciliation_id = r.id order by c.kind) as failed
from reconciliations r
join programs p on p.id = r.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and $2::bigint is null
  and ($3::bigint is null or r.id = $3)
  and ($4::bigint is null or r.id < $4)
  and ($6::bigint is null or r.program_id = $6)
order by r.id desc
limit $5
