-- payouts.propose: a payout of run $1 for each affiliate and currency of its program to whom enough is owed, made of
-- every row of his that no live payout holds. What was taken back counts whenever that was, so that nobody is paid what
-- he owes. The minimum is in the advertiser's currency, and is asked of that one alone: amounts of others do not compare.
with run as (
  select r.id, r.program_id, r.until, p.payout_minimum, a.currency as home
  from payout_runs r
  join programs p on p.id = r.program_id
  join advertisers a on a.id = p.advertiser_id
  where r.id = $1
), due as (
  select r.id as run_id, r.program_id, r.home, r.payout_minimum, o.transfer_id, o.affiliate_id, o.currency, o.amount
  from run r
  cross join lateral open_payable(r.program_id) o
  where r.until is null or o.created_at < r.until or o.amount < 0
), made as (
  insert into payouts (run_id, program_id, affiliate_id, amount, currency)
  select run_id, program_id, affiliate_id, sum(amount), currency
  from due
  group by run_id, program_id, affiliate_id, currency, home, payout_minimum
  having sum(amount) > 0 and (currency <> home or sum(amount) >= payout_minimum)
  order by affiliate_id, currency
  returning id, program_id, affiliate_id, currency
)
insert into payout_items (payout_id, transfer_id, program_id, amount)
select m.id, d.transfer_id, m.program_id, d.amount
from made m
join due d using (affiliate_id, currency)
order by d.transfer_id
