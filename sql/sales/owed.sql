-- sales.owed: what no live payout holds of an advertiser's debts, by program, affiliate and currency; below zero, more
-- went back than came since. And what is under way to him: the payouts that are not paid yet.
select o.affiliate_id, f.name as affiliate, p.id as program_id, p.name as program, o.currency, sum(o.amount) as amount,
       (select coalesce(sum(y.amount), 0) from payouts y
        where y.program_id = p.id and y.affiliate_id = o.affiliate_id and y.currency = o.currency
          and y.status in ('proposed', 'approved')) as under_way
from programs p
cross join lateral open_payable(p.id) o
left join affiliates f on f.id = o.affiliate_id
where p.advertiser_id = $1
group by o.affiliate_id, f.name, p.id, p.name, o.currency
having sum(o.amount) <> 0
order by f.name, o.affiliate_id, p.name, p.id, o.currency
limit 500
