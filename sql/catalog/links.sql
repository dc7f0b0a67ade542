-- catalog.links: every affiliate's link.
select id, program_id, affiliate_id, code, destination, (extract(epoch from paused_at) * 1000)::bigint
from links
