-- conversions.reject: by hand; $2 is what the person wrote. The code goes among the order's notes too, from which
-- the reasons are told again when another hit comes. Its transfer is written in the same transaction.
update conversions
set status = 'rejected', held = false, rejection = $2, revision = revision + 1, updated_at = now(),
    reasons = array_remove(array_remove(reasons, 'approved_by_hand'), 'rejected_by_hand') || 'rejected_by_hand'::text,
    facts = case when jsonb_typeof(facts -> 'notes') = 'array'
                 then jsonb_set(facts, '{notes}',
                                (facts -> 'notes') - 'approved_by_hand' - 'rejected_by_hand' || '["rejected_by_hand"]')
                 else facts end
where id = $1
