-- seals.horizon: where to seal up to: the first id of this moment, and a transaction's number that every
-- transaction which began to write before this moment is below of. The xmax of a snapshot would not do: it is
-- one past the newest that is over, and what is under way may lie above it.
select pg_current_xact_id()::text::bigint as transaction,
       (extract(epoch from clock_timestamp()) * 1000)::bigint << 22 as id
