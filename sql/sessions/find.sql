-- sessions.find: whose session this is; none when its time is over, nothing was heard of it for half an hour, its
-- key is not good any more, its user disabled, or the operator's key changed. That it was used is written down
-- once a minute.
with found as (
  select s.hash, s.id, s.seen_at, s.waits, s.operator_key, k.id as key_id, u.id as user_id, u.name, u.email,
         coalesce(k.advertiser_id, u.advertiser_id) as advertiser_id,
         coalesce(k.affiliate_id, u.affiliate_id) as affiliate_id,
         coalesce(k.scopes, u.scopes, '{}') as scopes
  from sessions s
  left join api_keys k on k.id = s.api_key_id and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
  left join users u on u.id = s.user_id and u.disabled_at is null
  where s.hash = $1 and s.expires_at > now() and s.seen_at > now() - interval '30 minutes'
    and (k.id is not null or u.id is not null or s.operator_key = $2)
), seen as (
  update sessions s set seen_at = now()
  from found
  where s.hash = found.hash and found.seen_at < now() - interval '1 minute'
)
select id, waits, key_id, user_id, name, email, advertiser_id, affiliate_id, scopes from found
