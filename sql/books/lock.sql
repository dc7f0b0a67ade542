-- books.lock: a conversion, by its id ($1) or by what it is recognised by ($2 program, $3 kind, $4 key), of the
-- advertiser who asks ($5, null for the operator), for what a person does to it. Approvals and rejections carry the
-- cause of what was booked, held or restored last; what else is done, an id of its own.
select c.id, c.program_id, c.kind, c.order_key, c.revision, c.facts, p.advertiser_id, c.affiliate_id, c.commission,
       c.commission_currency, c.status, c.plan_id, c.held, (extract(epoch from c.hold_until) * 1000)::bigint,
       c.reasons, c.reversed, c.refunded, c.renews,
       (select jsonb_agg(jsonb_build_object(
                 'part', s.part, 'affiliate_id', s.affiliate_id, 'kind', s.kind, 'level', s.level,
                 'commission', s.commission::text, 'reversed', s.reversed::text, 'currency', s.currency,
                 'status', s.status) order by s.part)
        from shares s where s.conversion_id = c.id) as shares,
       coalesce((select t.cause_id from transfers t
                 where t.conversion_id = c.id and t.code in ('accrue', 'hold', 'restore')
                 order by t.id desc limit 1), c.id) as booked_by
from conversions c
join programs p on p.id = c.program_id
where ($1::bigint is null or c.id = $1)
  and ($2::bigint is null or c.program_id = $2 and c.kind = $3 and c.order_key = $4)
  and num_nonnulls($1, $2) = 1
  and ($5::bigint is null or p.advertiser_id = $5)
for update of c
