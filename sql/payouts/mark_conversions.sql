-- payouts.mark_conversions: conversions whose approval is an item of these payouts, paid or payable again. The last
-- approval counts: an earlier one was of a booking that was taken back.
update conversions c
set status = $3, revision = c.revision + 1, updated_at = now()
from payout_items i
join transfers t on t.id = i.transfer_id
where i.payout_id = any($1) and t.code = 'approve' and t.part = 0 and c.id = t.conversion_id and c.status = $2
  and not exists (select from transfers later
                  where later.conversion_id = t.conversion_id and later.part = t.part and later.code = 'approve'
                    and later.id > t.id)
