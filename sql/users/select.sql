-- users.select: one or a page, newest first. $1 advertiser who asks; $2 one id; $3 before, $4 limit.
-- The revision is of what others change: that he signed in does not move it.
select id, email, name, role, advertiser_id, affiliate_id, scopes, totp_secret is not null as two_steps, disabled_at, created_at,
       hashtextextended(concat_ws('/', email, scopes, coalesce(disabled_at::text, ''), totp_secret), 0) as revision
from users
where ($1::bigint is null or advertiser_id = $1)
  and ($2::bigint is null or id = $2)
  and ($3::bigint is null or id < $3)
order by id desc
limit $4
