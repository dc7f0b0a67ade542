-- affiliates.update: what is given, $5: only at this revision; a pause keeps its first moment. $6 whether the recruiter
-- is to be $7, $8 whether the group is to be $9; null clears.
update affiliates
set name = coalesce($2, name),
    email = coalesce($3, email),
    paused_at = case when $4::boolean is null then paused_at when $4 then coalesce(paused_at, now()) end,
    recruited_by = case when $6 then $7 else recruited_by end,
    group_name = case when $8 then $9 else group_name end
where id = $1 and ($5::bigint is null or xmin::text::bigint = $5)
returning id
