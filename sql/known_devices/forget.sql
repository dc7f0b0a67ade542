-- known_devices.forget: every browser of a user, but for this one ($2, null for none).
delete from known_devices where user_id = $1 and hash is distinct from $2
