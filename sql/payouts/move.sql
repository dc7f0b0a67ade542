-- payouts.move: payouts into another status, with what is said of it. How one is paid is settled as it is approved.
update payouts o
set status = $2,
    reference = coalesce($3, reference),
    reason = coalesce($4, reason),
    method = case when $2 = 'approved'
                  then coalesce((select f.payee_method from affiliates f where f.id = o.affiliate_id), 'none')
                  else method end,
    approved_at = case when $2 = 'approved' then now() else approved_at end,
    paid_at = case when $2 = 'paid' then now() else paid_at end,
    closed_at = case when $2 in ('failed', 'cancelled') then now() else closed_at end
where id = any($1)
