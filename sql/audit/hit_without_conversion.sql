-- audit.hit_without_conversion: a hit that tells of an order leads to a conversion of its program; no
-- other hit does. From the id $1 on.
select h.id, h.outcome
from hits h
left join conversions c on c.id = h.conversion_id
where h.id >= $1
  and (   (h.outcome in ('converted', 'merged', 'duplicate', 'refunded', 'charged_back') and (c.id is null or c.program_id <> h.program_id))
       or (h.outcome in ('rejected', 'clicked', 'ignored', 'test') and h.conversion_id is not null))
