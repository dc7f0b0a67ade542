-- tracking_codes.create: into a program of the advertiser who asks ($1, null for the operator).
insert into tracking_codes (program_id, name, code, secret, redirect_url, return_method)
select p.id, $3, $4, $5, $6, $7
from programs p
where p.id = $2 and ($1::bigint is null or p.advertiser_id = $1)
returning id
