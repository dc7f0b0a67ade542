-- coupons.select: one or a page, newest first.
-- $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit; $6 program, $7 affiliate: filters.
select c.id, c.program_id, c.affiliate_id, c.code, c.valid_from, c.valid_to, c.created_at,
       c.xmin::text::bigint as revision
from coupons c
join programs p on p.id = c.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or c.affiliate_id = $2)
  and ($3::bigint is null or c.id = $3)
  and ($4::bigint is null or c.id < $4)
  and ($6::bigint is null or c.program_id = $6)
  and ($7::bigint is null or c.affiliate_id = $7)
order by c.id desc
limit $5
