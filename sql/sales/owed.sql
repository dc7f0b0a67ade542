-- sales.owed: what no live payout holds of an advertiser's debts, by program, affiliate and currency; below zero, it is
-- the affiliate who owes.
select o.affiliate_id, f.name as affiliate, p.id as program_id, p.name as program, o.currency, sum(o.amount) as amount
from programs p
cross join lateral open_payable(p.id) o
left join affiliates f on f.id = o.affiliate_id
where p.advertiser_id = $1
group by o.affiliate_id, f.name, p.id, p.name, o.currency
having sum(o.amount) <> 0
order by f.name, o.affiliate_id, p.name, p.id, o.currency
limit 500
