-- audit.status_without_money: the status of a commission is where its money is, its affiliate's, to the minor unit;
-- and nowhere else is any. By a conversion's own transfers: what a payout paid was payable for these. From the id $1
-- on, of a conversion or of one of its transfers.
with touched as (
  select id as conversion_id from conversions where id >= $1
  union
  select conversion_id from transfers where id >= $1 and conversion_id is not null
), moved as (
  select t.* from transfers t join touched using (conversion_id)
), sides as (
  select conversion_id, part, currency, credit_account as account, credit_owner as owner, amount from moved
  union all
  select conversion_id, part, currency, debit_account, debit_owner, -amount from moved
), booked as (
  select conversion_id, part, currency, account, owner, sum(amount) as amount
  from sides
  where account <> 'advertiser'
  group by conversion_id, part, currency, account, owner
  having sum(amount) <> 0
), earned as (
  select c.id as conversion_id, 0::smallint as part, c.commission_currency as currency, c.status, c.affiliate_id as owner,
         c.commission - c.reversed as amount
  from conversions c join touched t on t.conversion_id = c.id
  union all
  select s.conversion_id, s.part, s.currency, s.status, s.affiliate_id, s.commission - s.reversed
  from shares s join touched t on t.conversion_id = s.conversion_id
), due as (
  select conversion_id, part, currency,
         case status when 'pending' then 'affiliate_pending' else 'affiliate_payable' end as account, owner, amount
  from earned
  where amount > 0 and status in ('pending', 'payable', 'paid')
)
select conversion_id, part, currency, account, owner, b.amount as booked, d.amount as due
from booked b
full join due d using (conversion_id, part, currency, account, owner)
where b.amount is distinct from d.amount
