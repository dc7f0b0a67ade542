-- audit.status_without_money: the status of a commission is where its money is, to the minor unit.
with booked as (
  select conversion_id, currency,
         sum(case when credit_account = 'affiliate_pending' then amount
                  when debit_account = 'affiliate_pending' then -amount else 0 end) as pending,
         sum(case when credit_account = 'affiliate_payable' then amount
                  when debit_account = 'affiliate_payable' then -amount else 0 end) as payable,
         sum(case when credit_account = 'affiliate_paid' then amount
                  when debit_account = 'affiliate_paid' then -amount else 0 end) as paid
  from transfers
  group by conversion_id, currency
)
select c.id, c.status, c.commission, c.commission_currency, b.currency, b.pending, b.payable, b.paid
from conversions c
full join booked b on b.conversion_id = c.id
where coalesce(b.pending, 0) <> case when c.status = 'pending' and b.currency = c.commission_currency then c.commission else 0 end
   or coalesce(b.payable, 0) <> case when c.status = 'payable' and b.currency = c.commission_currency then c.commission else 0 end
   or coalesce(b.paid, 0) <> case when c.status = 'paid' and b.currency = c.commission_currency then c.commission else 0 end
   or (b.conversion_id is null and c.commission > 0 and c.status in ('pending', 'payable', 'paid'))
