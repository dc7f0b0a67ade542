-- sessions.begin: a browser signed in, for twelve hours; sessions past their time go on the way.
with gone as (delete from sessions where expires_at < now())
insert into sessions (hash, api_key_id, operator_key, expires_at)
values ($1, $2, $3, now() + interval '12 hours')
