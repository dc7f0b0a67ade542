-- seals.take_turn: one sealer at a time; nobody waits for the lock $1, which goes with the transaction.
select pg_try_advisory_xact_lock($1)
