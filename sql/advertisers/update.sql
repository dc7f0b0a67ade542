-- advertisers.update: what is given ($4.. whether a field is, and what it is), if it is the advertiser's own ($2, null
-- for all). $3: only at this revision.
update advertisers
set payer_name = case when $4 then $5 else payer_name end,
    payer_iban = case when $6 then $7 else payer_iban end,
    payer_bic = case when $8 then $9 else payer_bic end
where id = $1 and ($2::bigint is null or id = $2)
  and ($3::bigint is null or xmin::text::bigint = $3)
returning id
