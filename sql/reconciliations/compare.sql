-- reconciliations.compare: a list that is there ($1, lines $2) against the books; leaves what differs. Of lines of one
-- order the first that can be read stands. Only sales with an order id can be in a list. Rows that await their sale are none.
with list as (
  select * from reconciliations where id = $1 and status = 'uploading' for update
), ranked as (
  -- Not by a join of the lines with themselves: of a new list PostgreSQL knows no numbers, and would compare each with each.
  select r.*, row_number() over same as place, first_value(r.line) over same as stands,
         (r.amount, r.currency, r.refunded, r.said, r.word) is distinct from
         (first_value(r.amount) over same, first_value(r.currency) over same, first_value(r.refunded) over same,
          first_value(r.said) over same, first_value(r.word) over same) as differs
  from reconciliation_rows r
  where r.reconciliation_id = $1 and r.order_key is not null
  window same as (partition by r.order_key order by r.fault is not null, r.line)
), matched as materialized (
  select s.*, c.id as conversion_id, c.amount as booked_amount, c.refunded as booked_refunded, c.currency as booked_currency,
         c.status as booked_status, c.received_at,
         c.status in ('pending', 'payable', 'paid') as counts,
         s.currency = c.currency as alike,
         s.said = 'taken_back' and coalesce(s.refunded, 0) = 0 as whole
  from ranked s
  join list on true
  -- One by one, by their key: without numbers it would be read again for each line.
  left join lateral (
    select * from conversions c
    where c.program_id = list.program_id and c.kind = 'sale' and c.order_key = s.order_key and not 'sale_awaited' = any(c.reasons)
    limit 1) c on true
  where s.place = 1 or s.differs and s.fault is null
), span as (
  select coalesce(list.asked_from, min(m.received_at)) as first,
         coalesce(list.asked_to - interval '1 microsecond', max(m.received_at)) as last
  from list left join matched m on m.conversion_id is not null
  group by list.asked_from, list.asked_to
), done as (
  update reconciliations r
  set status = 'compared', compared_at = now(), lines = $2, span_from = span.first, span_to = span.last
  from span
  where r.id = $1
), found as (
  select k.kind, m.line, m.order_key, m.conversion_id, m.amount,
         case when not m.whole then m.refunded end as refunded, m.currency,
         m.booked_amount, m.booked_refunded, m.booked_currency, m.booked_status,
         case when k.kind in ('status_unknown', 'refunded_but_paid', 'confirmed') then m.word end as detail
  from matched m,
       lateral (values
         ('missing', m.conversion_id is null and m.said in ('confirmed', 'silent')),
         ('amount_differs', m.counts and m.said in ('confirmed', 'silent', 'open')
                            and (m.amount <> m.booked_amount or m.amount is not null and not m.alike)),
         ('refunded_but_paid', m.counts and m.booked_refunded < m.booked_amount
                               and (m.whole or m.alike and m.refunded > m.booked_refunded
                                    or m.said in ('taken_back', 'partly') and not m.alike and m.refunded > 0
                                    or m.said = 'partly' and m.refunded is null and m.booked_refunded = 0)
                            or m.counts and m.whole and m.booked_amount = 0),
         ('confirmed', m.booked_status = 'pending' and m.said = 'confirmed'),
         ('status_unknown', m.said = 'unknown')
       ) k (kind, holds)
  where k.holds and m.place = 1 and m.fault is null
  union all
  select 'repeated', m.line, m.order_key, m.conversion_id, m.amount, m.refunded, m.currency,
         null, null, null, null, 'line ' || m.stands
  from matched m
  where m.place > 1
  union all
  select 'unreadable', r.line, r.order_key, null, r.amount, r.refunded, null, null, null, null, null, r.fault
  from reconciliation_rows r
  where r.reconciliation_id = $1 and r.fault is not null
  union all
  select 'extra', null, c.order_key, c.id, null, null, null, c.amount, c.refunded, c.currency, c.status, null
  from list
  cross join span
  join conversions c on c.program_id = list.program_id and c.received_at between span.first and span.last
  where c.kind = 'sale' and c.order_key like 'id:%' and c.status in ('pending', 'payable', 'paid')
    and (select r.line from reconciliation_rows r
         where r.reconciliation_id = $1 and r.order_key = c.order_key limit 1) is null
), kept as (
  insert into reconciliation_findings (reconciliation_id, program_id, kind, line, order_id, conversion_id, amount, refunded,
                                       currency, booked_amount, booked_refunded, booked_currency, booked_status, detail)
  select $1, list.program_id, kind, line, substr(order_key, 4), conversion_id, amount, refunded, currency,
         booked_amount, booked_refunded, booked_currency, booked_status, detail
  from found, list
  returning reconciliation_id, program_id, kind
), counted as (
  insert into reconciliation_counts (reconciliation_id, program_id, kind, found)
  select reconciliation_id, program_id, kind, count(*) from kept group by reconciliation_id, program_id, kind
)
select id from list
