-- invitations.select: one or a page, newest first, the used ones too. $1 advertiser who asks; $2 one id; $3 before, $4 limit;
-- $5 only those that are open.
select id, user_id, email, role, advertiser_id, affiliate_id, scopes, made_by, expires_at, used_at, created_at,
       xmin::text::bigint as revision
from invitations
where ($1::bigint is null or advertiser_id = $1)
  and ($2::bigint is null or id = $2)
  and ($3::bigint is null or id < $3)
  and (not $5::boolean or used_at is null and expires_at > now())
order by id desc
limit $4
