-- links.create: an affiliate's link into a program of the advertiser who asks ($1, null for the operator).
insert into links (program_id, affiliate_id, code, destination)
select p.id, $3, $4, $5
from programs p
where p.id = $2 and ($1::bigint is null or p.advertiser_id = $1)
returning id
