-- audit.conversion_of_nobody: a conversion's program, affiliate and plan are there. From the id $1 on.
select c.id
from conversions c
left join programs p on p.id = c.program_id
left join affiliates a on a.id = c.affiliate_id
left join plans l on l.id = c.plan_id
where c.id >= $1
  and (p.id is null or a.id is null and c.affiliate_id is not null or l.id is null and c.plan_id is not null)
