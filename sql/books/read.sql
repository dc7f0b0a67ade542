-- books.read: a conversion whose row is locked, for what a person does to it. Approvals and rejections carry the cause
-- of what was booked, held or restored last; what else is done, an id of its own.
select c.id, c.program_id, c.kind, c.order_key, c.revision, c.facts, p.advertiser_id, c.affiliate_id, c.commission,
       c.commission_currency, c.status, c.plan_id, c.held, (extract(epoch from c.hold_until) * 1000)::bigint,
       c.reasons, c.reversed, c.refunded, c.renews,
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
               having sum(i.amount) > 0) as paid_out,
       coalesce((select t.cause_id from transfers t
                 where t.conversion_id = c.id and t.code in ('accrue', 'hold', 'restore')
                 order by t.id desc limit 1), c.id) as booked_by
from conversions c
join programs p on p.id = c.program_id
where c.id = $1
