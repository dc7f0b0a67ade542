-- audit.seal_broken: a seal, computed again from the transfers that lie in its block and the seal before, is the same.
-- A block reaches from the one before up to its last id, so what was put in between two is found too. From the id $1
-- on, of a seal's last transfer.
with told as (
  select * from seals where last_id >= $1
), found as (
  select s.advertiser_id, s.number, min(t.id) as first_id, max(t.id) as last_id, count(*) as transfers,
         sha256(convert_to(string_agg(transfer_line(t), '' order by t.id), 'UTF8')) as lines
  from transfers t
  join programs p on p.id = t.program_id
  cross join lateral (
    select * from seals where advertiser_id = p.advertiser_id and last_id >= t.id order by last_id limit 1
  ) s
  where t.id >= (select least($1, min(first_id)) from told)
    and t.id <= (select max(last_id) from told)
    and s.last_id >= $1
  group by s.advertiser_id, s.number
)
select s.advertiser_id, s.number
from told s
left join found f using (advertiser_id, number)
left join seals b on b.advertiser_id = s.advertiser_id and b.number = s.number - 1
where (f.first_id, f.last_id, f.transfers) is distinct from (s.first_id, s.last_id, s.transfers::bigint)
   or b.hash is null and s.number > 1
   or s.hash is distinct from sha256(coalesce(b.hash, '') || convert_to(seal_line(s), 'UTF8') || f.lines)
