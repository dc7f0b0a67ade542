-- audit.transfer_without_cause: what made a conversion's transfer due is a hit that is kept, or a replay that was
-- recorded. What is of no conversion, others look at. From the id $1 on.
select t.id
from transfers t
where t.id >= $1 and t.conversion_id is not null
  and not exists (select from hits h where h.id = t.cause_id)
  and not exists (select from replays r where r.id = t.cause_id)
