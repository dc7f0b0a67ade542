-- users.take_recovery_code: used up.
delete from recovery_codes where user_id = $1 and hash = $2 returning user_id
