-- seals.select: a page of an advertiser's, newest first. $1 advertiser who asks; $2 whose; $3 before this number, $4 limit.
select number, first_id, last_id, transfers, encode(hash, 'hex') as hash, sealed_at
from seals
where ($1::bigint is null or advertiser_id = $1)
  and advertiser_id = $2
  and ($3::bigint is null or number < $3)
order by number desc
limit $4
