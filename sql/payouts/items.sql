-- payouts.items: the ledger rows of a payout, newest first, each with the order that it is of. $1 advertiser, $2
-- affiliate: who asks; $3 the payout; $4 before, $5 limit.
select i.transfer_id as id, t.code, i.amount, t.currency, t.conversion_id, c.order_id, t.event_at, i.released_at
from payouts o
join programs p on p.id = o.program_id
join payout_items i on i.payout_id = o.id
join transfers t on t.id = i.transfer_id
left join conversions c on c.id = t.conversion_id
where o.id = $3
  and ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or o.affiliate_id = $2)
  and ($4::bigint is null or i.transfer_id < $4)
order by i.transfer_id desc
limit $5
