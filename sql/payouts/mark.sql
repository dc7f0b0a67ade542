-- payouts.mark: of what rows are items of these payouts ($1), conversions and shares: paid, where paid payouts hold as
-- much of its rows as it earns; else payable. Each share by itself; its conversion's revision tells whoever has read it.
-- Items of paid payouts are never released; that it is said finds them by `payout_items_once`.
with touched as (
  select distinct t.conversion_id, t.part
  from payout_items i
  join transfers t on t.id = i.transfer_id
  where i.payout_id = any($1) and t.conversion_id is not null
), earned as (
  select id as conversion_id, 0::smallint as part, affiliate_id, commission - reversed as amount,
         commission_currency as currency, status
  from conversions
  union all
  select conversion_id, part, affiliate_id, commission - reversed, currency, status
  from shares
), due as (
  select e.conversion_id, e.part, case when sum(i.amount) >= e.amount then 'paid' else 'payable' end as status
  from touched
  join earned e using (conversion_id, part)
  join transfers t using (conversion_id, part)
  left join (payout_items i join payouts o on o.id = i.payout_id and o.status = 'paid' and i.released_at is null)
    on i.transfer_id = t.id and o.affiliate_id = e.affiliate_id and o.currency = e.currency
  where e.status in ('payable', 'paid')
  group by e.conversion_id, e.part, e.amount, e.status
  having e.status <> case when sum(i.amount) >= e.amount then 'paid' else 'payable' end
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
