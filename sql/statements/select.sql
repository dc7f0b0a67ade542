-- statements.select: an affiliate's payable money in a month, by program and currency: of each account a row with its
-- balances before and after, and what is pending now; and its movements, in order. $1 advertiser: who asks; $2 the
-- affiliate; $3 first day of the month, in the advertiser's time zone; $4 program; $5 rows at most.
with accounts as (
  select p.id as program_id, a.timezone,
         $3::date::timestamp at time zone a.timezone as lower,
         ($3::date + interval '1 month') at time zone a.timezone as upper
  from programs p
  join advertisers a on a.id = p.advertiser_id
  where ($1::bigint is null or p.advertiser_id = $1) and ($4::bigint is null or p.id = $4)
), moved as (
  select t.id, t.program_id, t.currency, t.code, t.conversion_id, t.cause_id, t.created_at, a.timezone, a.lower, a.upper,
         case when t.credit_account = 'affiliate_payable' then t.amount else -t.amount end as amount
  from transfers t
  join accounts a on a.program_id = t.program_id
  where (case when t.credit_account = 'affiliate_payable' then t.credit_owner else t.debit_owner end) = $2
    and (t.debit_account = 'affiliate_payable' or t.credit_account = 'affiliate_payable')
    and t.created_at < a.upper
), waiting as (
  select program_id, commission_currency as currency, commission - reversed as amount
  from conversions where affiliate_id = $2 and status = 'pending'
  union all
  select program_id, currency, commission - reversed from shares where affiliate_id = $2 and status = 'pending'
), pending as (
  select w.program_id, w.currency, sum(w.amount) as amount
  from waiting w join accounts a on a.program_id = w.program_id
  where w.amount <> 0
  group by w.program_id, w.currency
), balances as (
  select program_id, currency, sum(amount) filter (where created_at < lower) as opening, sum(amount) as closing
  from moved
  group by program_id, currency
)
select program_id, currency, null::bigint as id, null::timestamptz as at, null::date as day, null::text as code,
       null::bigint as conversion_id, null::text as order_id, null::date as month, null::text as reason,
       null::numeric as amount,
       coalesce(b.opening, 0) as opening, coalesce(b.closing, 0) as closing, coalesce(p.amount, 0) as pending
from balances b
full join pending p using (program_id, currency)
union all
(select m.program_id, m.currency, m.id, m.created_at, (m.created_at at time zone m.timezone)::date, m.code,
        m.conversion_id, c.order_id, j.month, j.reason, m.amount, null, null, null
 from moved m
 left join conversions c on c.id = m.conversion_id
 left join adjustments j on m.code = 'adjust' and j.id = m.cause_id
 where m.created_at >= m.lower
 order by m.created_at, m.id
 limit $5)
order by program_id, currency, at nulls first, id
