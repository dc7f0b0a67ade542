-- payouts.move: payouts into another status, with what is said of it.
update payouts
set status = $2,
    reference = coalesce($3, reference),
    reason = coalesce($4, reason),
    approved_at = case when $2 = 'approved' then now() else approved_at end,
    paid_at = case when $2 = 'paid' then now() else paid_at end,
    closed_at = case when $2 in ('failed', 'cancelled') then now() else closed_at end
where id = any($1)
