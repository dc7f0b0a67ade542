-- audit.month_booked_otherwise: what is adjusted for an affiliate's month in a currency is what its last closing says;
-- the closings follow each other, each of them from what those before it booked, with an adjustment of the difference.
-- From the id $1 on.
with touched as (
  select program_id, affiliate_id, month, currency from month_closes where id >= $1
  union
  select program_id, affiliate_id, month, currency from adjustments where id >= $1 and month is not null
), closed as (
  select c.*, lag(c.due, 1, 0) over each_one as due_before, row_number() over each_one as place,
         c.number = max(c.number) over (partition by program_id, affiliate_id, month, currency) as is_last
  from touched join month_closes c using (program_id, affiliate_id, month, currency)
  window each_one as (partition by program_id, affiliate_id, month, currency order by c.number)
)
select program_id, affiliate_id, month, currency
from touched t
where (select coalesce(sum(a.amount), 0) from adjustments a
       where a.program_id = t.program_id and a.affiliate_id = t.affiliate_id and a.month = t.month and a.currency = t.currency)
      is distinct from
      (select c.due from closed c
       where c.program_id = t.program_id and c.affiliate_id = t.affiliate_id and c.month = t.month
         and c.currency = t.currency and c.is_last)
union
select c.program_id, c.affiliate_id, c.month, c.currency
from closed c
left join adjustments a on a.id = c.adjustment_id
where c.booked_before <> c.due_before or c.number <> c.place
   or coalesce(a.amount, 0) <> c.due - c.booked_before
   or a.id is not null and (a.program_id, a.affiliate_id, a.month, a.currency)
                           is distinct from (c.program_id, c.affiliate_id, c.month, c.currency)
