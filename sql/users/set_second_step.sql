-- users.set_second_step: from now on codes by this secret are asked for, or none are; the step of the first one is used up.
update users set totp_secret = nullif($2::bytea, ''), totp_step = greatest(totp_step, $3) where id = $1
