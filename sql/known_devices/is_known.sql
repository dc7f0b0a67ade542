-- known_devices.is_known: whether this user signed in with this browser within a year.
select true from known_devices where hash = $1 and user_id = $2 and seen_at > now() - interval '1 year'
