-- audit.status_without_money: the status of a commission is where its money is, its affiliate's, to the minor
-- unit; and nowhere else is any.
with sides as (
  select conversion_id, currency, credit_account as account, credit_owner as owner, amount from transfers
  union all
  select conversion_id, currency, debit_account, debit_owner, -amount from transfers
), booked as (
  select conversion_id, currency, account, owner, sum(amount) as amount
  from sides
  where account <> 'advertiser'
  group by conversion_id, currency, account, owner
  having sum(amount) <> 0
), due as (
  select id as conversion_id, commission_currency as currency, 'affiliate_' || status as account,
         affiliate_id as owner, commission as amount
  from conversions
  where commission > 0 and status in ('pending', 'payable', 'paid')
)
select conversion_id, currency, account, owner, b.amount as booked, d.amount as due
from booked b
full join due d using (conversion_id, currency, account, owner)
where b.amount is distinct from d.amount
