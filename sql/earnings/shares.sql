-- earnings.shares: what an affiliate has of others' sales before $2, newest first, with what is left of it; more than a
-- page shows, and all of the last sale that it tells of. Nothing else of the sale: that is another's. Its time is that of
-- the hit that made it known.
select s.conversion_id, to_timestamp((s.conversion_id >> 22) / 1000.0), a.timezone, p.name, s.kind, s.level,
       case when s.status in ('rejected', 'reversed') then 0 else s.commission - s.reversed end, s.reversed, s.currency,
       s.status
from shares s
join programs p on p.id = s.program_id
join advertisers a on a.id = p.advertiser_id
where s.affiliate_id = $1 and s.commission > 0 and s.conversion_id < $2
order by s.conversion_id desc
fetch first 51 rows with ties
