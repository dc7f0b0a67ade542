-- users.take_code: a code counts once; nothing when it, or a later one, was taken before.
update users set totp_step = $2 where id = $1 and totp_step < $2 returning id
