-- api_keys.create: only the digest of a key is kept, and its first characters.
insert into api_keys (role, advertiser_id, affiliate_id, name, prefix, hash)
values ($1, $2, $3, $4, $5, $6)
returning id
