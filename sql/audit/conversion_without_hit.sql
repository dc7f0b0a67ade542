-- audit.conversion_without_hit: every conversion was made by a hit that is kept and says so. From the id $1 on.
select c.id
from conversions c
left join hits h on h.id = c.id and h.conversion_id = c.id and h.outcome in ('converted', 'held')
where c.id >= $1 and h.id is null
