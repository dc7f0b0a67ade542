-- payouts.lock: a payout ($2), or all of a run ($3), those only whose affiliates are paid by a method ($4), of the one who
-- asks ($1, null for the operator), to be changed.
select o.id, o.program_id, o.status
from payouts o
join programs p on p.id = o.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or o.id = $2)
  and ($3::bigint is null or o.run_id = $3)
  and ($4::text is null or o.affiliate_id in (select id from affiliates where payee_method = $4))
order by o.id
for update of o
