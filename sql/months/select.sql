-- months.select: a page, newest first. $1 advertiser, $2 affiliate: who asks; $3 before, $4 limit; $5 program,
-- $6 affiliate: filters.
select m.id, m.program_id, m.affiliate_id, m.month, m.number, m.currency, m.due, m.booked_before, m.adjustment_id,
       m.lines, m.closed_at
from month_closes m
join programs p on p.id = m.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or m.affiliate_id = $2)
  and ($3::bigint is null or m.id < $3)
  and ($5::bigint is null or m.program_id = $5)
  and ($6::bigint is null or m.affiliate_id = $6)
order by m.id desc
limit $4
