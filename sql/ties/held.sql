-- ties.held: whether customers ($1, as texts) are this transaction's, held since before or free now. Nobody is waited for:
-- rows are locked already, for which who has a customer may wait.
select bool_and(pg_try_advisory_xact_lock(hashtextextended(customer, 0))) as held from unnest($1::text[]) c (customer)
