-- catalog.affiliates: who may be credited, who brought him, and in which group he is.
select id, (extract(epoch from paused_at) * 1000)::bigint, recruited_by, group_name
from affiliates
