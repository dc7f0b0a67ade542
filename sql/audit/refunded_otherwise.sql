-- audit.refunded_otherwise: refunds and chargebacks are as their conversion's order tells them, and together what is
-- said to have gone back of the sale. From the id $1 on, of a conversion or of one of them.
with touched as (
  select id from conversions where id >= $1
  union select conversion_id from refunds where id >= $1
  union select conversion_id from chargebacks where id >= $1
), told as (
  select conversion_id, currency, amount from refunds where conversion_id in (select id from touched)
  union all
  select conversion_id, currency, amount from chargebacks
  where status in ('lost', 'accepted') and conversion_id in (select id from touched)
), sums as (
  select c.id, coalesce(sum(coalesce(t.amount, c.amount)) filter (
           where t.conversion_id is not null and coalesce(t.currency, c.currency) = c.currency), 0) as back
  from conversions c
  join touched using (id)
  left join told t on t.conversion_id = c.id
  group by c.id
)
select c.id
from conversions c
join sums s using (id)
where (select count(*) from refunds r where r.conversion_id = c.id)
      <> (select count(*) from jsonb_object_keys(coalesce(c.facts -> 'refunds', '{}')))
   or (select count(*) from chargebacks b where b.conversion_id = c.id)
      <> (select count(*) from jsonb_object_keys(coalesce(c.facts -> 'chargebacks', '{}')))
   or c.refunded <> case when c.reasons && '{retracted, sale_awaited}' then 0 else least(s.back, c.amount) end
