-- invitations.use: once, and only while it is good; nothing when somebody was first. $2: the operator's first key of now.
update invitations i set used_at = now() where i.id = $1 and invitation_is_good(i, $2) returning i.id
