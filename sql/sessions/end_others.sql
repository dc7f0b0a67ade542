-- sessions.end_others: every session of a user ends, but for the one with this hash ($2, null for all).
delete from sessions where user_id = $1 and hash is distinct from $2
