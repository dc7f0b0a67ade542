-- hits.select: one or a page, newest first. What an unknown code brought belongs to nobody but the operator.
-- $1 advertiser who asks; $2 one id; $3 before, $4 limit; $5 outcome, $6 code; ids tell the time: $7 from, $8 to.
select h.id, h.kind, h.code, h.received_at, h.program_id, h.affiliate_id, h.outcome, h.reasons, h.conversion_id, d.error
from hits h
left join dead_letters d on d.hit_id = h.id
left join programs p on p.id = h.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or h.id = $2)
  and ($3::bigint is null or h.id < $3)
  and ($5::text is null or h.outcome = $5)
  and ($6::text is null or h.code = $6)
  and ($7::bigint is null or h.id >= $7)
  and ($8::bigint is null or h.id < $8)
order by h.id desc
limit $4
