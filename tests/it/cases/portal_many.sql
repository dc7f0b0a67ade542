-- Sixty more sales of one affiliate: more than a page.
insert into conversions (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id,
  attributed_by, plan_id, commission, commission_currency, status, held, hold_until, verified, received_at, facts)
select 2000 + n, 101, 'sale', 'id:many-' || n, 'many-' || n, 10, 'EUR', 11, 171,
  'cookie', 151, 1, 'EUR', 'pending', false, now() + interval '30 days', true, now(), '{}'
from generate_series(1, 60) n;
