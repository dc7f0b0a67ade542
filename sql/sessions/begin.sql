-- sessions.begin: a browser signed in, for twelve hours; one that waits for its second step, for ten minutes.
insert into sessions (hash, api_key_id, operator_key, user_id, waits, agent, expires_at)
values ($1, $2, $3, $4, $5, $6, now() + case when $5 then interval '10 minutes' else interval '12 hours' end)
