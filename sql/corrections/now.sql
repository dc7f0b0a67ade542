-- corrections.now: how an order stands now; its row stays as it is until it is corrected.
select c.amount, c.refunded, c.currency, c.status from conversions c where c.id = $1 for update
