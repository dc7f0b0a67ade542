-- payouts.release: the rows of payouts that will not be paid are open again.
update payout_items set released_at = now() where payout_id = any($1) and released_at is null
