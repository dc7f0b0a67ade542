-- audit.status_without_money: the status of a commission is where its money is, its affiliate's, to the minor
-- unit; and nowhere else is any. That of a paid one is where it was: a payout moves sums, not conversions. From the
-- id $1 on, of a conversion or of one of its transfers.
with touched as (
  select id as conversion_id from conversions where id >= $1
  union
  select conversion_id from transfers where id >= $1 and conversion_id is not null
), moved as (
  select t.* from transfers t join touched using (conversion_id)
), sides as (
  select conversion_id, currency, credit_account as account, credit_owner as owner, amount from moved
  union all
  select conversion_id, currency, debit_account, debit_owner, -amount from moved
), booked as (
  select conversion_id, currency, account, owner, sum(amount) as amount
  from sides
  where account <> 'advertiser'
  group by conversion_id, currency, account, owner
  having sum(amount) <> 0
), due as (
  select c.id as conversion_id, c.commission_currency as currency,
         'affiliate_' || case c.status when 'paid' then 'payable' else c.status end as account,
         c.affiliate_id as owner, c.commission as amount
  from conversions c join touched t on t.conversion_id = c.id
  where c.commission > 0 and c.status in ('pending', 'payable', 'paid')
)
select conversion_id, currency, account, owner, b.amount as booked, d.amount as due
from booked b
full join due d using (conversion_id, currency, account, owner)
where b.amount is distinct from d.amount
