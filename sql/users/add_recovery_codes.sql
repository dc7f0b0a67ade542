-- users.add_recovery_codes: digests of codes that are good once.
insert into recovery_codes (user_id, hash) select $1, hash from unnest($2::bytea[]) hash
