-- takebacks.select: refunds or chargebacks ($6), one or a page, newest first. $1 advertiser, $2 affiliate: who asks; $3
-- one id; $4 before, $5 limit; $7.. filters, times half-open. Beside each what counts of its sale that went back before
-- it: refunds when they were told, chargebacks when they were closed.
select t.id, t.program_id, t.conversion_id, t.name, t.amount, t.currency, t.status, t.reason, t.requested_at, t.closed_at,
       t.note, t.hit_id, t.revision::bigint as revision, t.created_at, t.updated_at,
       t.counted_at is not null and (t.currency is null or t.currency = c.currency) as is_taken,
       t.status = 'open' and (t.currency is null or t.currency = c.currency) as is_held,
       c.order_id, c.affiliate_id, c.amount as sale, c.commission, c.commission_currency, c.reversed,
       c.status as conversion_status, c.revision::bigint as conversion_revision, c.received_at as ordered_at,
       c.reasons && '{sale_awaited,retracted}' as awaits_sale, before.amount as before, before.of_all
from (
  select 'refund' as kind, id, program_id, conversion_id, refund_id as name, amount, currency, null as status, null as reason,
         created_at as requested_at, null as closed_at, note, hit_id, 1 as revision, created_at, created_at as updated_at,
         created_at as counted_at
  from refunds
  union all
  select 'chargeback', id, program_id, conversion_id, chargeback_id, amount, currency, status, reason,
         requested_at, closed_at, note, hit_id, revision, created_at, updated_at,
         case when status in ('lost', 'accepted') then closed_at end
  from chargebacks
) t
join conversions c on c.id = t.conversion_id
join programs p on p.id = t.program_id
cross join lateral (
  select coalesce(sum(coalesce(o.amount, c.amount)), 0) as amount, coalesce(bool_or(o.amount is null), false) as of_all
  from (
    select id, created_at as counted_at, amount, currency from refunds where conversion_id = c.id
    union all
    select id, closed_at, amount, currency from chargebacks where conversion_id = c.id and status in ('lost', 'accepted')
  ) o
  where (o.currency is null or o.currency = c.currency) and (o.counted_at, o.id) < (t.counted_at, t.id)
) before
where t.kind = $6
  and ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null or c.affiliate_id = $2)
  and ($3::bigint is null or t.id = $3)
  and ($4::bigint is null or t.id < $4)
  and ($7::bigint is null or t.program_id = $7)
  and ($8::bigint is null or c.affiliate_id = $8)
  and ($9::bigint is null or t.conversion_id = $9)
  and ($10::text is null or t.name = $10)
  and ($11::text is null or t.status = $11)
  and ($12::text is null or t.reason = $12)
  and ($13::boolean is null or (t.status = 'potential') = $13)
  and ($14::timestamptz is null or t.requested_at >= $14)
  and ($15::timestamptz is null or t.requested_at < $15)
  and ($16::timestamptz is null or c.received_at >= $16)
  and ($17::timestamptz is null or c.received_at < $17)
order by t.id desc
limit $5
