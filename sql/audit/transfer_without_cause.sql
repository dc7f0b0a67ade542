-- audit.transfer_without_cause: what made a conversion's transfer due is a hit that is kept, a replay that was
-- recorded, or a person's doing, which has an id that the database gave at the very moment when the transfer was
-- written. Approvals and rejections may carry the cause of what was booked, held or restored before. From the id $1
-- on.
select t.id
from transfers t
where t.id >= $1 and t.conversion_id is not null
  and not exists (select from hits h where h.id = t.cause_id)
  and not exists (select from replays r where r.id = t.cause_id)
  and not ((t.cause_id >> 12) & 1023 = 1023
           and to_timestamp((t.cause_id >> 22) / 1000.0)
               between t.created_at - interval '1 minute' and t.created_at + interval '1 minute')
  and not (t.code in ('approve', 'reject')
           and exists (select from transfers b
                       where b.conversion_id = t.conversion_id and b.cause_id = t.cause_id
                         and b.code in ('accrue', 'hold', 'restore')))
