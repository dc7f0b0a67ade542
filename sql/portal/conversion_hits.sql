-- portal.conversion_hits: all hits that told of one of an advertiser's conversions, in the order they came.
select h.id, h.received_at, p.name, h.kind, h.code, h.outcome, h.reasons, h.conversion_id, h.raw
from hits h
join programs p on p.id = h.program_id
where p.advertiser_id = $1 and h.conversion_id = $2
order by h.id
limit 50
