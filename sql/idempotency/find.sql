-- idempotency.find: what a caller was answered to a call with this key.
select fingerprint, status, location, body from idempotent_calls where caller = $1 and key = $2
