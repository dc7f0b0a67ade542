-- users.create: somebody new, as his invitation says.
insert into users (email, name, role, advertiser_id, affiliate_id, scopes, password_hash)
values ($1, $2, $3, $4, $5, $6, $7)
returning id
