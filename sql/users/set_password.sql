-- users.set_password: another password, for somebody who is not disabled.
update users set password_hash = $2 where id = $1 and disabled_at is null returning id
