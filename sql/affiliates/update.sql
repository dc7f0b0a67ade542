-- affiliates.update: what is given, $5: only at this revision; a pause keeps its first moment. From $6 on: whether a
-- field is given, and what it is; null clears.
update affiliates
set name = coalesce($2, name),
    email = coalesce($3, email),
    paused_at = case when $4::boolean is null then paused_at when $4 then coalesce(paused_at, now()) end,
    recruited_by = case when $6 then $7 else recruited_by end,
    group_name = case when $8 then $9 else group_name end,
    payee_method = case when $10 then $11 else payee_method end,
    payee_name = case when $12 then $13 else payee_name end,
    payee_email = case when $14 then $15 else payee_email end,
    payee_iban = case when $16 then $17 else payee_iban end,
    payee_bic = case when $18 then $19 else payee_bic end
where id = $1 and ($5::bigint is null or xmin::text::bigint = $5)
returning id
