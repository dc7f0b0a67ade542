-- idempotency.lock: until the transaction ends nobody else makes a call of this caller with this key; false when
-- somebody does now.
select pg_try_advisory_xact_lock(hashtextextended('idempotency' || chr(10) || $1 || chr(10) || $2, 0))
