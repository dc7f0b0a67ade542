-- audit.whole: for an audit of all there is. It takes the time that it needs, and no plan that compares all with
-- all: where statistics are missing or of before, PostgreSQL takes a table for nearly empty.
set local statement_timeout = 0;
set local enable_nestloop = off
