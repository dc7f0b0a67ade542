-- payouts.select: one or a page, newest first. $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit;
-- $6.. filters.
select o.id, o.run_id, o.program_id, o.affiliate_id, o.amount, o.currency, o.status, o.reference, o.reason,
       o.approved_at, o.paid_at, o.closed_at, o.created_at,
       (select count(*) from payout_items i where i.payout_id = o.id) as items
from payouts o
join programs p on p.id = o.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or o.affiliate_id = $2)
  and ($3::bigint is null or o.id = $3)
  and ($4::bigint is null or o.id < $4)
  and ($6::bigint is null or o.program_id = $6)
  and ($7::bigint is null or o.affiliate_id = $7)
  and ($8::text is null or o.status = $8)
  and ($9::bigint is null or o.run_id = $9)
order by o.id desc
limit $5
