-- catalog.plans: every version of every plan, or only of program $1, oldest first.
select program_id, id, (extract(epoch from created_at) * 1000)::bigint, terms
from plans
where $1::bigint is null or program_id = $1
order by program_id, version
