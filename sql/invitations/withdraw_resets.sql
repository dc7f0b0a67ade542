-- invitations.withdraw_resets: links for a new password of a user who defends his account; somebody else may hold one.
delete from invitations where user_id = $1 and used_at is null
