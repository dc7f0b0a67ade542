-- shares.select: a page of what affiliates have of others' sales, newest first. $1 advertiser, $2 affiliate: who asks; $3
-- conversion and $4 part before which it begins; $5 limit; $6.. filters. Nothing else of the sale: that is another's.
-- Its time is that of the hit that made it known.
select s.conversion_id, s.part, s.program_id, s.affiliate_id, s.kind, s.level, s.commission, s.reversed, s.currency,
       s.status, to_timestamp((s.conversion_id >> 22) / 1000.0) as at
from shares s
join programs p on p.id = s.program_id
where s.commission > 0
  and ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or s.affiliate_id = $2)
  and ($3::bigint is null or (s.conversion_id, s.part) < ($3, $4::smallint))
  and ($6::bigint is null or s.program_id = $6)
  and ($7::bigint is null or s.affiliate_id = $7)
  and ($8::text is null or s.status = $8)
order by s.conversion_id desc, s.part desc
limit $5
