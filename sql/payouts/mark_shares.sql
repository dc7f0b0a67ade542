-- payouts.mark_shares: the same of shares, each by its own approval. Their conversions are taken first, as settling
-- does, and their revisions tell whoever has read them.
with taken as (
  update conversions o
  set revision = o.revision + 1, updated_at = now()
  where o.id in (select t.conversion_id from payout_items i join transfers t on t.id = i.transfer_id
                 where i.payout_id = any($1) and t.code = 'approve' and t.part > 0)
  returning o.id
)
update shares c
set status = $3
from payout_items i
join transfers t on t.id = i.transfer_id
join taken on taken.id = t.conversion_id
where i.payout_id = any($1) and t.code = 'approve' and t.part > 0 and c.status = $2
  and c.conversion_id = t.conversion_id and c.part = t.part
  and not exists (select from transfers later
                  where later.conversion_id = t.conversion_id and later.part = t.part and later.code = 'approve'
                    and later.id > t.id)
