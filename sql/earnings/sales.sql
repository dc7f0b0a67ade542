-- earnings.sales: an affiliate's sales before $2, newest first, with what is left of his commission; one more than a
-- page shows.
select c.id, c.received_at, a.timezone, p.name, c.order_id, c.amount, c.currency,
       case when c.status in ('rejected', 'reversed') then 0 else c.commission - c.reversed end,
       c.commission_currency, c.status, c.held, c.hold_until, c.reasons, c.refunded, c.verified, c.attributed_by,
       array(select b.status from chargebacks b where b.conversion_id = c.id order by b.id)
from conversions c
join programs p on p.id = c.program_id
join advertisers a on a.id = p.advertiser_id
where c.affiliate_id = $1 and c.id < $2
order by c.id desc
limit 51
