-- earnings.sales: an affiliate's sales before $2, newest first, with what is left of his commission; one more than a
-- page shows.
select c.id, c.received_at, a.timezone, p.name, c.order_id, c.amount, c.currency, c.commission - c.reversed,
       c.commission_currency, c.status, c.held, c.hold_until, c.verified, c.attributed_by
from conversions c
join programs p on p.id = c.program_id
join advertisers a on a.id = p.advertiser_id
where c.affiliate_id = $1 and c.id < $2
order by c.id desc
limit 51
