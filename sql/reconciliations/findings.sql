-- reconciliations.findings: a page of what was found by one of them ($6), newest first; $7, $8 filters.
-- $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit.
select f.id, f.kind, f.line, f.order_id, f.conversion_id, f.amount, f.refunded, f.currency, f.booked_amount,
       f.booked_refunded, f.booked_currency, f.booked_status, f.detail, f.state, f.why, f.corrected_at
from reconciliation_findings f
join reconciliations r on r.id = f.reconciliation_id
join programs p on p.id = r.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and $2::bigint is null
  and ($3::bigint is null or f.id = $3)
  and ($4::bigint is null or f.id < $4)
  and f.reconciliation_id = $6
  and ($7::text is null or f.kind = $7)
  and ($8::text is null or f.state = $8)
order by f.id desc
limit $5
