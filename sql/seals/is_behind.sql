-- seals.is_behind: whether every transaction with a number below $1 is over, and what it wrote is seen.
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1
