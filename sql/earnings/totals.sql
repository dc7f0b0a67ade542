-- earnings.totals: what the books hold for an affiliate, by currency; a transfer counts on both its sides. His
-- conversions', those that he has a share of, and what is of no conversion.
with own as (
  select id from conversions where affiliate_id = $1
  union
  select conversion_id from shares where affiliate_id = $1
), his as (
  select t.* from own join transfers t on t.conversion_id = own.id
  union all
  select t.*
  from transfers t
  where t.conversion_id is null
    and case when t.debit_account in ('advertiser', 'exchange') then t.credit_owner else t.debit_owner end = $1
)
select t.currency,
       coalesce(sum(s.amount) filter (where s.account = 'affiliate_pending'), 0),
       coalesce(sum(s.amount) filter (where s.account = 'affiliate_payable'), 0),
       coalesce(sum(s.amount) filter (where s.account = 'affiliate_paid'), 0)
from his t
cross join lateral (values (t.credit_account, t.credit_owner, t.amount),
                           (t.debit_account, t.debit_owner, -t.amount)) as s (account, owner, amount)
where s.owner = $1 and s.account like 'affiliate%'
group by t.currency
order by t.currency
