-- migrate.lock_timeout: whoever comes behind a migration that waits for a table waits too, so it gives up in time.
set lock_timeout = '5s'
