-- portal.hit: one hit of an advertiser's program.
select h.id, h.received_at, p.name, h.kind, h.code, h.outcome, h.reasons, h.conversion_id, h.raw
from hits h
join programs p on p.id = h.program_id
where p.advertiser_id = $1 and h.id = $2
