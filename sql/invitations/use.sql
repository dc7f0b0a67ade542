-- invitations.use: once; nothing when somebody was first.
update invitations set used_at = now() where id = $1 and used_at is null and expires_at > now() returning id
