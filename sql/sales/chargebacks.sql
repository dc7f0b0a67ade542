-- sales.chargebacks: the disputes about one of an advertiser's conversions, in the order they were told.
select b.chargeback_id, b.amount, b.currency, b.status, b.reason, b.requested_at, b.closed_at, b.hit_id, b.note
from chargebacks b
join programs p on p.id = b.program_id
where p.advertiser_id = $1 and b.conversion_id = $2
order by b.id
limit 100
