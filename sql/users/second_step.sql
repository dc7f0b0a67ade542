-- users.second_step: what a code is checked by; the step is by the database's clock.
select email, totp_secret, totp_step, floor(extract(epoch from now()) / 30)::bigint as step
from users
where id = $1 and disabled_at is null
