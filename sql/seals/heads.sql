-- seals.heads: the newest seal of each advertiser, the most recent $1 of them, and how many seals there are.
select h.advertiser_id, h.number, h.last_id, encode(h.hash, 'hex') as hash, (select count(*) from seals) as seals
from advertisers a
cross join lateral (
  select * from seals where advertiser_id = a.id order by number desc limit 1
) h
order by h.last_id desc
limit $1
