-- api_keys.select: one ($1) or a page ($2 before, $3 limit), newest first, the revoked too. The operator's only.
select id, role, advertiser_id, affiliate_id, name, prefix, revoked_at, created_at, xmin::text::bigint as revision
from api_keys
where ($1::bigint is null or id = $1)
  and ($2::bigint is null or id < $2)
order by id desc
limit $3
