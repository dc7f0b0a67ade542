-- migrate.take_lock: two migrations take turns.
select pg_advisory_lock($1)
