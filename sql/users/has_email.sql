-- users.has_email: who has this e-mail already, whatever its case, the disabled too. $1 advertiser who asks.
select id from users where ($1::bigint is null or advertiser_id = $1) and lower(email) = lower($2)
