-- exchanges.select: one or a page, newest first. $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit;
-- $6 program, $7 affiliate: filters.
select e.id, e.program_id, e.affiliate_id, e.from_amount, e.from_currency, e.to_amount, e.to_currency, e.rate, e.rate_on,
       e.rate_source, e.created_at
from exchanges e
join programs p on p.id = e.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or e.affiliate_id = $2)
  and ($3::bigint is null or e.id = $3)
  and ($4::bigint is null or e.id < $4)
  and ($6::bigint is null or e.program_id = $6)
  and ($7::bigint is null or e.affiliate_id = $7)
order by e.id desc
limit $5
