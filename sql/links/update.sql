-- links.update: what is given ($3: whether the destination $4 is), if it is the advertiser's ($2, null for all).
-- $6: only at this revision.
update links l
set destination = case when $3 then $4 else l.destination end,
    paused_at = case when $5::boolean is null then l.paused_at when $5 then coalesce(l.paused_at, now()) end
from programs p
where l.id = $1 and p.id = l.program_id and ($2::bigint is null or p.advertiser_id = $2)
  and ($6::bigint is null or l.xmin::text::bigint = $6)
returning l.id
