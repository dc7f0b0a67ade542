-- sales.select: one of an advertiser's conversions or a page, newest first, with what it costs him: what is left of the
-- commission of its own affiliate and of what others get, together, by currency. $1 advertiser; $2 one id; $3 before, $4
-- limit; $5.. filters, the time half-open. An order id is looked for by the key that makes orders unique.
select c.id, c.received_at, c.program_id, p.name as program, c.order_id, c.kind, f.name as affiliate, c.amount, c.currency,
       c.commission, c.reversed, c.commission_currency, c.refunded, c.status, c.held, c.hold_until, c.verified, c.reasons,
       c.rejection, c.revision::bigint as revision, costs.shares, costs.nets, costs.currencies
from conversions c
join programs p on p.id = c.program_id
left join affiliates f on f.id = c.affiliate_id
cross join lateral (
  select sum(cost.shares)::bigint as shares, array_agg(cost.net order by cost.last, cost.currency) as nets,
         array_agg(cost.currency order by cost.last, cost.currency) as currencies
  from (
    select part.currency, sum(part.share) as shares, min(part.share) as last,
           case when c.status in ('rejected', 'reversed') then 0 else sum(part.net) end as net
    from (
      select c.commission_currency as currency, 0 as share, c.commission - c.reversed as net
      union all
      select s.currency, 1, s.commission - s.reversed
      from shares s
      where s.conversion_id = c.id and s.commission > 0
    ) part
    group by part.currency
  ) cost
) costs
where p.advertiser_id = $1
  and ($2::bigint is null or c.id = $2)
  and ($3::bigint is null or c.id < $3)
  and ($5::bigint is null or c.program_id = $5)
  and ($6::text is null or c.kind in ('sale', 'lead') and c.order_key = 'id:' || $6)
  and ($7::text is null or c.status = $7)
  and ($8::timestamptz is null or c.received_at >= $8)
  and ($9::timestamptz is null or c.received_at < $9)
order by c.id desc
limit $4
