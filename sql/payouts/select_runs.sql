-- payouts.select_runs: one or a page, newest first. $1 advertiser: who asks; $2 one id; $3 before, $4 limit; $5 program.
select r.id, r.program_id, r.until, r.created_at
from payout_runs r
join programs p on p.id = r.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or r.id = $2)
  and ($3::bigint is null or r.id < $3)
  and ($5::bigint is null or r.program_id = $5)
order by r.id desc
limit $4
