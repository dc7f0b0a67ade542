-- sales.shares: what others than its own affiliate get of one of an advertiser's conversions.
select f.name, s.kind, s.level, s.commission, s.reversed, s.currency, s.status
from shares s
join programs p on p.id = s.program_id
left join affiliates f on f.id = s.affiliate_id
where p.advertiser_id = $1 and s.conversion_id = $2 and s.commission > 0
order by s.part
