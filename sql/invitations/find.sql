-- invitations.find: one whose link is good still; for somebody new only as long as nobody has his e-mail.
select i.id, i.user_id, i.email, i.role, i.advertiser_id, i.affiliate_id, i.scopes, u.name
from invitations i
left join users u on u.id = i.user_id
where i.hash = $1 and i.used_at is null and i.expires_at > now() and u.disabled_at is null
  and (i.user_id is not null or not exists (select from users o where lower(o.email) = lower(i.email)))
