-- users.forget_recovery_codes: none of them is good any more.
delete from recovery_codes where user_id = $1
