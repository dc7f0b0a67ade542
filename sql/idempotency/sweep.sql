-- idempotency.sweep: answers are kept for 90 days.
delete from idempotent_calls where created_at < now() - interval '90 days'
