-- api_keys.revoke: for good; a key that was revoked keeps its first moment.
update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1 returning id
