-- earnings.links: an affiliate's links, $2 at most; a paused program pauses them too.
select p.name, l.code, l.destination, l.paused_at is not null or p.paused_at is not null
from links l
join programs p on p.id = l.program_id
where l.affiliate_id = $1
order by p.name, l.id
limit $2
