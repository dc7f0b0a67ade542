-- users.update: what is given. Disabled keeps its first moment; the second step can only be taken off ($4). $5: only at this revision.
update users
set scopes = coalesce($2, scopes),
    email = coalesce($6, email),
    disabled_at = case when $3::boolean is null then disabled_at when $3 then coalesce(disabled_at, now()) end,
    totp_secret = case when $4 then null else totp_secret end
where id = $1 and ($5::bigint is null or hashtextextended(concat_ws('/', email, scopes, coalesce(disabled_at::text, ''), totp_secret), 0) = $5)
returning id
