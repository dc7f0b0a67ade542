-- sales.refunds: what was paid back of one of an advertiser's conversions, in the order it was told.
select r.refund_id, r.amount, r.currency, r.hit_id, r.note, r.created_at
from refunds r
join programs p on p.id = r.program_id
where p.advertiser_id = $1 and r.conversion_id = $2
order by r.id
limit 100
