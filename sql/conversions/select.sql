-- conversions.select: one or a page, newest first, with the terms they were priced by.
-- $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit; $6.. filters, the time half-open.
-- An affiliate is told of no other's share. What is known of the order comes with one only.
-- An order id is looked for by the key that makes orders unique.
select c.id, c.program_id, c.affiliate_id, c.link_id, c.order_id, c.kind, c.amount, c.currency, c.commission,
       c.commission_currency, c.reversed, c.refunded, c.status, c.verified, c.attributed_by, c.click_id, c.received_at, c.reasons,
       c.held, c.hold_until, c.rejection, c.revision::bigint as revision,
       array(select h.id from hits h where h.conversion_id = c.id order by h.id) as hit_ids,
       case when $3::bigint is not null then c.facts end as facts, a.currency as home,
       case when c.commission_currency <> c.currency then c.facts #> '{lookups,exchange,quoted}' end as exchange,
       (select jsonb_agg(jsonb_build_object(
                 'part', s.part, 'affiliate_id', s.affiliate_id, 'kind', s.kind, 'level', s.level,
                 'commission', s.commission::text, 'reversed', s.reversed::text, 'currency', s.currency,
                 'status', s.status) order by s.part)
        from shares s
        where s.conversion_id = c.id and s.commission > 0 and ($2::bigint is null or s.affiliate_id = $2)) as shares,
       plan.id as plan_id, plan.version, plan.terms, plan.created_at as plan_created_at
from conversions c
join programs p on p.id = c.program_id
join advertisers a on a.id = p.advertiser_id
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
