-- payouts.propose: a payout of run $1 for each affiliate and currency of its program to whom enough is owed, made of
-- every row of his that no live payout holds. What was taken back counts whenever that was, so that nobody is paid what
-- he owes. The minimum is in the advertiser's currency; what is owed in another is compared by the last quotes of a
-- week, and where there are none it has no minimum.
with run as (
  select r.id, r.program_id, r.until, p.payout_minimum, a.currency as home
  from payout_runs r
  join programs p on p.id = r.program_id
  join advertisers a on a.id = p.advertiser_id
  where r.id = $1
), quoted as (
  select 'EUR' as currency, 1::numeric as per_euro
  union all
  (select distinct on (currency) currency, per_euro
   from rates
   where on_date between (now() at time zone 'utc')::date - 7 and (now() at time zone 'utc')::date
   order by currency, on_date desc)
), due as (
  select r.id as run_id, r.program_id, r.home, r.payout_minimum, o.transfer_id, o.affiliate_id, o.currency, o.amount
  from run r
  cross join lateral open_payable(r.program_id) o
  where r.until is null or o.created_at < r.until or o.amount < 0
), made as (
  insert into payouts (run_id, program_id, affiliate_id, amount, currency)
  select run_id, program_id, affiliate_id, sum(amount), due.currency
  from due
  left join quoted own on own.currency = due.currency
  left join quoted theirs on theirs.currency = due.home
  group by run_id, program_id, affiliate_id, due.currency, home, payout_minimum, own.per_euro, theirs.per_euro
  having sum(amount) > 0
     and case when due.currency = home then sum(amount) >= payout_minimum
              else coalesce(sum(amount) / own.per_euro * theirs.per_euro >= payout_minimum, true) end
  order by affiliate_id, currency
  returning id, program_id, affiliate_id, currency
)
insert into payout_items (payout_id, transfer_id, program_id, amount)
select m.id, d.transfer_id, m.program_id, d.amount
from made m
join due d using (affiliate_id, currency)
order by d.transfer_id
