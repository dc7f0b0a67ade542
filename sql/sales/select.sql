-- sales.select: one of an advertiser's conversions or a page, newest first, with what it costs him: the commission of its
-- own affiliate and, beside it, what others get. $1 advertiser; $2 one id; $3 before, $4 limit; $5.. filters, the time
-- half-open. An order id is looked for by the key that makes orders unique.
select c.id, c.received_at, c.program_id, p.name as program, c.order_id, c.kind, f.name as affiliate, c.amount, c.currency,
       c.commission, c.reversed, c.commission_currency, c.refunded, c.status, c.held, c.hold_until, c.verified, c.reasons,
       c.rejection, c.revision::bigint as revision, other.shares,
       case when c.status in ('rejected', 'reversed') then 0 else c.commission - c.reversed + other.net end as net
from conversions c
join programs p on p.id = c.program_id
left join affiliates f on f.id = c.affiliate_id
cross join lateral (
  select count(*) as shares, coalesce(sum(s.commission - s.reversed), 0) as net
  from shares s
  where s.conversion_id = c.id and s.commission > 0
) other
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
