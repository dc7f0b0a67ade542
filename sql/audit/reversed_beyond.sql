-- audit.reversed_beyond: of each commission that part is taken back which went back of the sale: all of it when all
-- did, else to half a minor unit, which is what rounding leaves. From the id $1 on.
with shares_of as (
  select c.id, c.status, c.reasons, c.amount, c.refunded, c.commission, c.reversed
  from conversions c
  where c.id >= $1 or c.id in (select conversion_id from transfers where id >= $1 and conversion_id is not null)
  union all
  select c.id, c.status, c.reasons, c.amount, c.refunded, s.commission, s.reversed
  from conversions c
  join shares s on s.conversion_id = c.id
  where c.id >= $1
)
select id
from shares_of
where reversed not between 0 and commission
   or (reversed <> 0 or refunded <> 0)
      and (refunded not between 0 and amount
           or not reasons && '{retracted, sale_awaited}' and amount > 0
              and (refunded = amount and reversed <> commission
                   or abs(reversed * amount - commission * refunded) * 2 > amount * power(10::numeric, -scale(commission))))
