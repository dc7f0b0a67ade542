-- catalog.plans: every version of every plan, oldest first.
select program_id, id, (extract(epoch from created_at) * 1000)::bigint, terms
from plans
order by program_id, version
