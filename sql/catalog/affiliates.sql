-- catalog.affiliates: who may be credited.
select id, (extract(epoch from paused_at) * 1000)::bigint
from affiliates
