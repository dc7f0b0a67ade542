-- corrections.take: some findings of these kinds ($2, in this order) that wait for it.
select f.id, f.kind, f.conversion_id, f.amount, f.refunded, f.currency, f.booked_amount, f.booked_refunded,
       f.booked_currency, f.detail
from reconciliation_findings f
where f.reconciliation_id = $1 and f.kind = any($2::text[]) and f.state = 'open'
order by array_position($2::text[], f.kind), f.conversion_id, f.id
limit $3
