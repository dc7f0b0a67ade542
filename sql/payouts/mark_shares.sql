-- payouts.mark_shares: the same of shares, each by its own approval.
update shares c
set status = $3
from payout_items i
join transfers t on t.id = i.transfer_id
where i.payout_id = any($1) and t.code = 'approve' and t.part > 0 and c.status = $2
  and c.conversion_id = t.conversion_id and c.part = t.part
  and not exists (select from transfers later
                  where later.conversion_id = t.conversion_id and later.part = t.part and later.code = 'approve'
                    and later.id > t.id)
