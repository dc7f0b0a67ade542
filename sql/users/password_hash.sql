-- users.password_hash: what the password of somebody who is signed in is checked by.
select password_hash from users where id = $1 and disabled_at is null
