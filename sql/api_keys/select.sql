-- api_keys.select: one or a page, newest first, the revoked too. $1 advertiser who asks; $2 one id; $3 before, $4 limit.
-- The revision is of what is changed: that a key was used does not move it.
select id, role, advertiser_id, affiliate_id, name, scopes, prefix, expires_at, last_used_at, follows, revoked_at, created_at,
       hashtextextended(concat(expires_at, '/', revoked_at), 0) as revision
from api_keys
where ($1::bigint is null or advertiser_id = $1)
  and ($2::bigint is null or id = $2)
  and ($3::bigint is null or id < $3)
order by id desc
limit $4
