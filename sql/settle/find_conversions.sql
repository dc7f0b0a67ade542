-- settle.find_conversions: what is known of these orders.
select c.id, c.program_id, c.kind, c.order_key, c.revision, c.facts, p.advertiser_id, c.affiliate_id,
       c.commission, c.commission_currency, c.status, c.plan_id, c.held,
       (extract(epoch from c.hold_until) * 1000)::bigint, c.reasons
from unnest($1::bigint[], $2::text[], $3::text[]) k (program_id, kind, order_key)
join conversions c using (program_id, kind, order_key)
join programs p on p.id = c.program_id
