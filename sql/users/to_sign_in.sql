-- users.to_sign_in: who has this e-mail, whatever its case, with what his password is checked by.
select id, email, advertiser_id, affiliate_id, scopes, password_hash, totp_secret is not null as two_steps
from users
where lower(email) = lower($1) and disabled_at is null
