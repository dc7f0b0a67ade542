-- audit.seal_misses: what is as old as what was sealed lies in a block of its advertiser's. From the id $1 on.
select t.id
from transfers t
left join programs p on p.id = t.program_id
left join lateral (
  select first_id from seals where advertiser_id = p.advertiser_id and last_id >= t.id order by last_id limit 1
) s on true
where t.id >= $1 and t.id <= (select max(last_id) from seals)
  and (s.first_id is null or s.first_id > t.id)
