-- audit.payout_sum: a payout is the sum of its items, all of them released or none, as its status says. From the id $1
-- on, of a payout or of its payment.
select o.id
from payouts o
left join payout_items i on i.payout_id = o.id
where o.id in (select id from payouts where id >= $1
               union select cause_id from transfers where id >= $1 and code in ('pay', 'return'))
group by o.id
having o.amount is distinct from sum(i.amount)
    or count(*) filter (where i.released_at is not null)
       <> case when o.status in ('failed', 'cancelled') then count(*) else 0 end
