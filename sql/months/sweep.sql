-- months.sweep: what was told of months that are closed for good by $1. $2 seconds are as in months.begin.
delete from month_changes t
using programs p, advertisers a
where p.id = t.program_id and a.id = p.advertiser_id
  and (t.month + interval '1 month') at time zone a.timezone + make_interval(days => p.hold_days, secs => $2::float8)
      <= $1::timestamptz - interval '400 days'
