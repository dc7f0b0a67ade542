-- users.count_recovery_codes: how many are left.
select count(*) from recovery_codes where user_id = $1
