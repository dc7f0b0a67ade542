-- api_keys.create: only the digest of a key is kept, and its first characters. $9 is the key that it follows.
insert into api_keys (role, advertiser_id, affiliate_id, name, scopes, expires_at, prefix, hash, follows)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning id
