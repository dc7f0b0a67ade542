-- sessions.of_user: where somebody is signed in, the last seen first. $2 is the hash of the session that asks.
select id, agent, created_at, seen_at, hash = $2 as own
from sessions
where user_id = $1 and not waits and expires_at > now() and seen_at > now() - interval '30 minutes'
order by seen_at desc, id desc
limit 50
