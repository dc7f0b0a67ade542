-- payouts.lock_conversions: conversions of which rows are items of these payouts ($1), in the order of their keys, as
-- settling writes them; how many. They are marked by a statement of its own, whose snapshot is from after the lock.
select count(*)
from (select c.id
      from conversions c
      where c.id in (select t.conversion_id from payout_items i join transfers t on t.id = i.transfer_id
                     where i.payout_id = any($1))
      order by c.program_id, c.kind desc, c.order_key collate "C"
      for update) locked
