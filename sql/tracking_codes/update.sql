-- tracking_codes.update: what is given ($4: whether the redirect URL $5 is), if it is the advertiser's ($2, null for all).
-- $7: only at this revision.
update tracking_codes t
set name = coalesce($3, t.name),
    redirect_url = case when $4 then $5 else t.redirect_url end,
    return_method = coalesce($6, t.return_method)
from programs p
where t.id = $1 and p.id = t.program_id and ($2::bigint is null or p.advertiser_id = $2)
  and ($7::bigint is null or t.xmin::text::bigint = $7)
returning t.id
