-- payouts.lock: a payout, or all of a run, of the one who asks ($1, null for the operator), to be changed.
select o.id, o.status
from payouts o
join programs p on p.id = o.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or o.id = $2)
  and ($3::bigint is null or o.run_id = $3)
order by o.id
for update of o
