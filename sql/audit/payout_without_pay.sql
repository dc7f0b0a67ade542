-- audit.payout_without_pay: a payout that was paid has its one payment, of its amount, and one that failed after that
-- its one return; no other has either, and neither is of anything else. From the id $1 on, of a payout or a payment.
with touched as (
  select id from payouts where id >= $1
  union
  select cause_id from transfers where id >= $1 and code in ('pay', 'return')
), moved as (
  select t.cause_id as id,
         count(*) filter (where t.code = 'pay') as paid,
         count(*) filter (where t.code = 'return') as returned,
         bool_and(coalesce((t.program_id, t.amount, t.currency) = (o.program_id, o.amount, o.currency)
                           and t.debit_owner = o.affiliate_id and t.credit_owner = o.affiliate_id, false)) as fits
  from touched
  join transfers t on t.cause_id = touched.id and t.code in ('pay', 'return') and t.conversion_id is null
  left join payouts o on o.id = t.cause_id
  group by t.cause_id
)
select touched.id
from touched
left join payouts o on o.id = touched.id
left join moved m on m.id = touched.id
where o.id is null or not coalesce(m.fits, true)
   or coalesce(m.paid, 0) <> case when o.paid_at is not null then 1 else 0 end
   or coalesce(m.returned, 0) <> case when o.paid_at is not null and o.status = 'failed' then 1 else 0 end
   or (o.status = 'paid' and o.paid_at is null)
