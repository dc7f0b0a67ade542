-- users.select: one or a page, newest first. $1 advertiser who asks; $2 one id; $3 before, $4 limit.
select id, email, name, role, advertiser_id, affiliate_id, scopes, totp_secret is not null as two_steps, disabled_at, created_at,
       xmin::text::bigint as revision
from users
where ($1::bigint is null or advertiser_id = $1)
  and ($2::bigint is null or id = $2)
  and ($3::bigint is null or id < $3)
order by id desc
limit $4
