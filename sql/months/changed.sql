-- months.changed: whose months are to be closed, by $1: they were closed once, or are about to be, and are not closed for
-- good. At most $3; in no order, so that those which cannot be closed hold up none. $2 seconds are as in months.begin.
select t.program_id, t.affiliate_id, t.month, m.lower, m.upper
from (select distinct program_id, affiliate_id, month from month_changes) t
join closed_months k on k.program_id = t.program_id and k.month = t.month
join programs p on p.id = t.program_id
join advertisers a on a.id = p.advertiser_id
cross join lateral (
  select t.month::timestamp at time zone a.timezone as lower, (t.month + interval '1 month') at time zone a.timezone as upper
) m
where m.upper + make_interval(days => p.hold_days, secs => $2::float8) > $1::timestamptz - interval '400 days'
order by random()
limit $3
