-- takebacks.note: what a person writes of a chargeback ($1; at $2 only, if given) without saying how far it is.
update chargebacks
set note = $3, revision = revision + 1, updated_at = now()
where id = $1 and ($2::bigint is null or revision = $2)
returning id
