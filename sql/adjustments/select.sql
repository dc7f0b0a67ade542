-- adjustments.select: one or a page, newest first. $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit;
-- $6 program, $7 affiliate: filters.
select a.id, a.program_id, a.affiliate_id, a.amount, a.currency, a.reason, a.month, a.created_at
from adjustments a
join programs p on p.id = a.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or a.affiliate_id = $2)
  and ($3::bigint is null or a.id = $3)
  and ($4::bigint is null or a.id < $4)
  and ($6::bigint is null or a.program_id = $6)
  and ($7::bigint is null or a.affiliate_id = $7)
order by a.id desc
limit $5
