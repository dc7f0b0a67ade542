-- conversions.select: one or a page, newest first, with the terms they were priced by.
-- $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit; $6.. filters, the time half-open.
-- An order id is looked for by the key that makes orders unique.
select c.id, c.program_id, c.affiliate_id, c.link_id, c.order_id, c.kind, c.amount, c.currency, c.commission,
       c.commission_currency, c.reversed, c.refunded, c.status, c.verified, c.attributed_by, c.click_id, c.received_at, c.reasons,
       c.held, c.hold_until, c.rejection, c.revision::bigint as revision,
       array(select h.id from hits h where h.conversion_id = c.id order by h.id) as hit_ids,
       plan.id as plan_id, plan.version, plan.terms, plan.created_at as plan_created_at
from conversions c
join programs p on p.id = c.program_id
left join plans plan on plan.id = c.plan_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or c.affiliate_id = $2)
  and ($3::bigint is null or c.id = $3)
  and ($4::bigint is null or c.id < $4)
  and ($6::bigint is null or c.program_id = $6)
  and ($7::bigint is null or c.affiliate_id = $7)
  and ($8::text is null or c.kind in ('sale', 'lead') and c.order_key = 'id:' || $8)
  and ($9::text is null or c.status = $9)
  and ($10::timestamptz is null or c.received_at >= $10)
  and ($11::timestamptz is null or c.received_at < $11)
order by c.id desc
limit $5
