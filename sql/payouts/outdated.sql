-- payouts.outdated: those of proposed payouts ($1) of a program ($2) whose run, made now, would propose less: what it
-- would take beside their own rows comes to less than nothing.
select o.id, o.affiliate_id, f.name as affiliate, o.currency, -sum(open.amount) as less
from payouts o
join payout_runs r on r.id = o.run_id
join open_payable($2) open on open.affiliate_id = o.affiliate_id and open.currency = o.currency
left join affiliates f on f.id = o.affiliate_id
where o.id = any($1) and (r.until is null or open.created_at < r.until or open.amount < 0)
group by o.id, f.name
having sum(open.amount) < 0
order by o.id
