-- payouts.lock: a payout ($2), or all of a run ($3), those only that are paid by a method ($4), of the one who asks ($1, null
-- for the operator), to be changed. The method is the one that a payout was approved with; before that, the affiliate's.
select o.id, o.program_id, o.status
from payouts o
join programs p on p.id = o.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or o.id = $2)
  and ($3::bigint is null or o.run_id = $3)
  and ($4::text is null
       or $4 = coalesce(o.method, (select f.payee_method from affiliates f where f.id = o.affiliate_id)))
order by o.id
for update of o
