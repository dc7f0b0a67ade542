-- links.select: one or a page, newest first.
-- $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit; $6 program, $7 affiliate: filters.
select l.id, l.program_id, l.affiliate_id, l.code, l.destination, l.paused_at, l.created_at,
       l.xmin::text::bigint as revision
from links l
join programs p on p.id = l.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or l.affiliate_id = $2)
  and ($3::bigint is null or l.id = $3)
  and ($4::bigint is null or l.id < $4)
  and ($6::bigint is null or l.program_id = $6)
  and ($7::bigint is null or l.affiliate_id = $7)
order by l.id desc
limit $5
