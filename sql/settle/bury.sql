-- settle.bury: why a hit could not be settled.
insert into dead_letters (hit_id, error) values ($1, $2)
