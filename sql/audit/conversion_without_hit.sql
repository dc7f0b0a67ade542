-- audit.conversion_without_hit: every conversion was made known by a hit that is kept and says so, unless none
-- of its hits tells of it any more and it was taken back. From the id $1 on.
select c.id
from conversions c
left join hits h on h.conversion_id = c.id and h.outcome in ('converted', 'held')
where c.id >= $1 and h.id is null and not (c.status = 'reversed' and 'retracted' = any (c.reasons))
