-- invitations.withdraw: what somebody made who is disabled now, and what was made for him.
delete from invitations where used_at is null and (made_by = 'user:' || $1::bigint or user_id = $1)
