-- migrate.release_lock: lets the next migration go on.
select pg_advisory_unlock($1)
