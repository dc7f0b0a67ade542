-- Copies of settled hits, from a year ago on, three seconds apart: $rows of them, numbered from $first. Orders
-- are numbered as shops number theirs, one after the other.
begin;

create temporary table copy on commit drop as
  with sample as materialized (
    select row_number() over () - 1 as place, h.raw, c.facts
    from (select * from conversions where affiliate_id is not null order by id limit 1000) c
    join hits h on h.id = c.id
  )
  select n, at, ((extract(epoch from at) * 1000)::bigint << 22) | (7::bigint << 12) | (n % 4096) as id, s.raw, s.facts
  from generate_series($first::bigint, $first::bigint + $rows - 1) n
  cross join lateral (select date_trunc('day', now()) - interval '1 year' + n * interval '3 seconds' as at) t
  join sample s on s.place = n % 1000;

insert into hits (id, edge_id, seq, received_at, kind, code, program_id, outcome, conversion_id, raw)
select id, 1, n, at, 'pixel', 'shop', 3, 'converted', id, raw from copy order by n;

insert into conversions (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id,
                         attributed_by, plan_id, commission, commission_currency, status, held, hold_until,
                         verified, received_at, facts)
select id, 3, 'sale', 'id:' || 1000000000 + n, (1000000000 + n)::text, 19.95, 'USD', 2, 4, 'cookie',
       (select id from plans), 2.00, 'USD', 'pending', false, at + interval '400 days', false, at, facts
from copy order by n;

insert into transfers (id, conversion_id, code, cause_id, debit_account, debit_owner, credit_account,
                       credit_owner, amount, currency, event_at)
select id, id, 'accrue', id, 'advertiser', 1, 'affiliate_pending', 2, 2.00, 'USD', at from copy order by n;

insert into edges (edge_id, edge_number, watermark) values (1, 7, $first::bigint + $rows)
on conflict (edge_id) do update set watermark = excluded.watermark;

commit;
