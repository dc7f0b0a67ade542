-- migrate.no_timeout: a migration takes its time, and waits for the one before it.
set statement_timeout = 0
