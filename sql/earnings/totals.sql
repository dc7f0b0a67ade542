-- earnings.totals: what the books hold for an affiliate, by currency; a transfer counts on both its sides.
select t.currency,
       coalesce(sum(s.amount) filter (where s.account = 'affiliate_pending'), 0),
       coalesce(sum(s.amount) filter (where s.account = 'affiliate_payable'), 0),
       coalesce(sum(s.amount) filter (where s.account = 'affiliate_paid'), 0)
from conversions c
join transfers t on t.conversion_id = c.id
cross join lateral (values (t.credit_account, t.credit_owner, t.amount),
                           (t.debit_account, t.debit_owner, -t.amount)) as s (account, owner, amount)
where c.affiliate_id = $1 and s.owner = $1
group by t.currency
order by t.currency
