-- conversions.approve: by hand, before its time. The code goes among the order's notes too: what a person approved
-- is not taken back as if time had released it. Its transfer is written in the same transaction.
update conversions
set status = 'payable', held = false, revision = revision + 1, updated_at = now(),
    reasons = array_remove(reasons, 'approved_by_hand') || 'approved_by_hand'::text,
    facts = case when jsonb_typeof(facts -> 'notes') = 'array'
                 then jsonb_set(facts, '{notes}', (facts -> 'notes') - 'approved_by_hand' || '["approved_by_hand"]')
                 else facts end
where id = $1
