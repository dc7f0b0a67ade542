-- known_devices.remember: a browser that a user signed in with.
insert into known_devices (hash, user_id) values ($1, $2)
on conflict (hash, user_id) do update set seen_at = now()
