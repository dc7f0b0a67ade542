-- settle.find_conversions: what is known of these orders. The offsets make each be looked up by itself, however
-- many are asked for: orders by their keys; then transfers, their payouts' items and those payouts, in this order also
-- before there are statistics of payouts. A limit would do so too; but where statistics are of a nearly empty table it
-- makes any index look as good as that of the key.
select c.id, c.program_id, c.kind, c.order_key, c.revision, c.facts, p.advertiser_id, c.affiliate_id,
       c.commission, c.commission_currency, c.status, c.plan_id, c.held,
       (extract(epoch from c.hold_until) * 1000)::bigint, c.reasons, c.reversed, c.refunded, c.renews,
       (select jsonb_agg(jsonb_build_object(
                 'part', s.part, 'affiliate_id', s.affiliate_id, 'kind', s.kind, 'level', s.level,
                 'commission', s.commission::text, 'reversed', s.reversed::text, 'currency', s.currency,
                 'status', s.status) order by s.part)
        from shares s where s.conversion_id = c.id) as shares,
       exists (select from transfers t
               cross join lateral (select payout_id, amount from payout_items
                                   where transfer_id = t.id and released_at is null offset 0) i
               cross join lateral (select affiliate_id, currency from payouts
                                   where id = i.payout_id and status = 'paid' offset 0) o
               where t.conversion_id = c.id
                 and (t.part = 0 and (o.affiliate_id, o.currency) = (c.affiliate_id, c.commission_currency)
                      or exists (select from shares s
                                 where s.conversion_id = c.id and s.part = t.part
                                   and (s.affiliate_id, s.currency) = (o.affiliate_id, o.currency)))
               group by t.part
               having sum(i.amount) > 0) as paid_out
from unnest($1::bigint[], $2::text[], $3::text[]) k (program_id, kind, order_key)
cross join lateral (
  select *
  from conversions
  where program_id = k.program_id and kind = k.kind and order_key = k.order_key
  offset 0
) c
join programs p on p.id = c.program_id
