-- api_keys.revoke: for good; a key that was revoked keeps its first moment. $2: only at this revision.
update api_keys
set revoked_at = coalesce(revoked_at, now())
where id = $1 and ($2::bigint is null or hashtextextended(concat(expires_at, '/', revoked_at), 0) = $2)
returning id
