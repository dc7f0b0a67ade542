-- audit.payable_not_footing: what an affiliate has payable in a program and a currency is what no payout holds, and what
-- those hold that are not paid yet. From the id $1 on, of a payout, of a payment, or of what else is of no conversion:
-- a conversion's own rows are open until a payout holds them.
with touched as (
  select program_id, affiliate_id, currency from payouts where id >= $1
  union
  select program_id, case when credit_account = 'affiliate_payable' then credit_owner else debit_owner end, currency
  from transfers
  where id >= $1 and conversion_id is null
    and (debit_account = 'affiliate_payable' or credit_account = 'affiliate_payable')
), moved as (
  select t.id, x.program_id, x.affiliate_id, x.currency,
         case when t.credit_account = 'affiliate_payable' then t.amount else -t.amount end as amount, t.code
  from touched x
  join transfers t on t.program_id = x.program_id and t.currency = x.currency
   and (t.debit_account = 'affiliate_payable' or t.credit_account = 'affiliate_payable')
   and (case when t.credit_account = 'affiliate_payable' then t.credit_owner else t.debit_owner end) = x.affiliate_id
), known as (
  select m.program_id, m.affiliate_id, m.currency, m.amount as balance,
         case when m.code in ('pay', 'return') then 0
              when not exists (select from payout_items i where i.transfer_id = m.id and i.released_at is null) then m.amount
              else 0 end as expected
  from moved m
  union all
  select x.program_id, x.affiliate_id, x.currency, 0, i.amount
  from touched x
  join payouts o using (program_id, affiliate_id, currency)
  join payout_items i on i.payout_id = o.id and i.released_at is null
  where o.status in ('proposed', 'approved')
)
select program_id, affiliate_id, currency, sum(balance) as balance, sum(expected) as expected
from known
group by program_id, affiliate_id, currency
having sum(balance) <> sum(expected)
