-- affiliates.update: what is given, $5: only at this revision; a pause keeps its first moment.
update affiliates
set name = coalesce($2, name),
    email = coalesce($3, email),
    paused_at = case when $4::boolean is null then paused_at when $4 then coalesce(paused_at, now()) end
where id = $1 and ($5::bigint is null or xmin::text::bigint = $5)
returning id
