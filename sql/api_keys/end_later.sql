-- api_keys.end_later: a key that has a successor ends in $2 seconds, or when it would have anyway; only a good one that
-- follows no other good one, so that there are never more than two.
update api_keys k
set expires_at = least(k.expires_at, now() + make_interval(secs => $2))
where k.id = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
  and not exists (select from api_keys s where s.follows = k.id)
  and not exists (select from api_keys f where f.id = k.follows and f.revoked_at is null and f.expires_at > now())
returning id
