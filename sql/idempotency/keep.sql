-- idempotency.keep: the answer to a call, written in the transaction that did it.
insert into idempotent_calls (caller, key, fingerprint, status, location, body) values ($1, $2, $3, $4, $5, $6)
