-- payouts.mark: of what rows are items of these payouts ($1), conversions and shares: paid, where paid payouts hold as
-- much of its rows as it earns; else payable. Each share by itself; its conversion's revision tells whoever has read it.
-- Items of paid payouts are never released; that it is said finds them by `payout_items_once`. The offsets make each be
-- looked up by itself, in this order, also before there are statistics.
with touched as materialized (
  select distinct t.conversion_id, t.part
  from payout_items i
  join transfers t on t.id = i.transfer_id
  where i.payout_id = any($1) and t.conversion_id is not null
), due as (
  select touched.conversion_id, touched.part, case when held.amount >= e.amount then 'paid' else 'payable' end as status
  from touched
  cross join lateral (
    select affiliate_id, commission - reversed as amount, commission_currency as currency, status
    from conversions
    where touched.part = 0 and id = touched.conversion_id
    union all
    select affiliate_id, commission - reversed, currency, status
    from shares
    where conversion_id = touched.conversion_id and part = touched.part
    offset 0
  ) e
  cross join lateral (
    select sum(i.amount) as amount
    from transfers t
    cross join lateral (select payout_id, amount from payout_items
                        where transfer_id = t.id and released_at is null offset 0) i
    cross join lateral (select affiliate_id, currency from payouts
                        where id = i.payout_id and status = 'paid' offset 0) o
    where t.conversion_id = touched.conversion_id and t.part = touched.part
      and (o.affiliate_id, o.currency) = (e.affiliate_id, e.currency)
  ) held
  where e.status in ('payable', 'paid')
    and e.status <> case when held.amount >= e.amount then 'paid' else 'payable' end
), others as (
  update shares s
  set status = due.status
  from due
  where s.conversion_id = due.conversion_id and s.part = due.part
)
update conversions c
set status = coalesce(d.status, c.status), revision = c.revision + 1, updated_at = now()
from (select conversion_id, max(status) filter (where part = 0) as status from due group by conversion_id) d
where c.id = d.conversion_id
