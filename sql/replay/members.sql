-- replay.members: the hits that tell of these conversions, of each the first $2.
select h.id, h.program_id, h.affiliate_id, h.outcome, h.reasons, h.conversion_id, h.raw
from unnest($1::bigint[]) c (id)
cross join lateral (select * from hits where conversion_id = c.id order by id limit $2) h
order by h.id
