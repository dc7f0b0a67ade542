-- plans.select: one version ($3) or a page of a program's, newest first. $1 advertiser who asks; $2 program; $4 before, $5 limit.
select plan.id, plan.program_id, plan.version, plan.terms, plan.created_at
from plans plan
join programs p on p.id = plan.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and plan.program_id = $2
  and ($3::integer is null or plan.version = $3)
  and ($4::bigint is null or plan.id < $4)
order by plan.id desc
limit $5
