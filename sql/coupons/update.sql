-- coupons.update: from when ($3 whether given, $4) and until when ($5, $6) it attributes, if it is the advertiser's ($2).
-- $7: only at this revision.
update coupons c
set valid_from = case when $3 then $4 else c.valid_from end,
    valid_to = case when $5 then $6 else c.valid_to end
from programs p
where c.id = $1 and p.id = c.program_id and ($2::bigint is null or p.advertiser_id = $2)
  and ($7::bigint is null or c.xmin::text::bigint = $7)
returning c.id
