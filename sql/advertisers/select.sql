-- advertisers.select: one or a page, newest first. $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit.
select id, name, currency, timezone, created_at, payer_name, payer_iban, payer_bic, xmin::text::bigint as revision
from advertisers
where ($1::bigint is null or id = $1)
  and $2::bigint is null
  and ($3::bigint is null or id = $3)
  and ($4::bigint is null or id < $4)
order by id desc
limit $5
