-- audit.conversion_without_hit: every conversion was made known by a hit that is kept and says so, unless none
-- of its hits tells of it any more and it was taken back, or a person told of a refund before its sale came. From the
-- id $1 on.
select c.id
from conversions c
left join hits h on h.conversion_id = c.id and h.outcome in ('converted', 'held')
where c.id >= $1 and h.id is null and not (c.status = 'reversed' and c.reasons && '{retracted, sale_awaited}')
