-- keys.find: who presents this key; a key carries exactly the owner of its role. That it was used is written
-- down once a minute.
with found as (
  select id, advertiser_id, affiliate_id, scopes, last_used_at
  from api_keys
  where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())
), used as (
  update api_keys k set last_used_at = now()
  from found
  where k.id = found.id and (found.last_used_at is null or found.last_used_at < now() - interval '1 minute')
)
select id, advertiser_id, affiliate_id, scopes from found
