-- months.begin: months that were never closed and are due by $1: over by their program's hold period and $2 seconds, so
-- that nothing is paid for sales which may yet be sent back unnoticed. All of their affiliates are to be looked at. At
-- most $3 months. Only months in which terms with tiers, bonuses or a cap were in force; the first version is in force
-- for what came before it, too. 400 days after it was due a month is closed for good.
with versions as (
  select program_id, terms ?| array['tiers', 'bonuses', 'cap'] as counts,
         case when lag(version) over each_one is null then '-infinity' else created_at end as since,
         lead(created_at, 1, 'infinity') over each_one as until
  from plans
  where has_months(program_id)
  window each_one as (partition by program_id order by version)
), due as (
  select p.id as program_id, m.month, m.lower, m.upper
  from programs p
  join advertisers a on a.id = p.advertiser_id
  cross join lateral (select make_interval(days => p.hold_days, secs => $2::float8) as more) wait
  cross join lateral (
    select month::date, month at time zone a.timezone as lower, (month + interval '1 month') at time zone a.timezone as upper
    from generate_series(
      date_trunc('month', ($1::timestamptz - wait.more) at time zone a.timezone) - interval '14 months',
      date_trunc('month', ($1::timestamptz - wait.more) at time zone a.timezone), interval '1 month') month
  ) m
  where m.upper + wait.more <= $1 and m.upper + wait.more > $1::timestamptz - interval '400 days'
    and exists (select from versions v where v.program_id = p.id and v.counts and v.since < m.upper and v.until > m.lower)
    and not exists (select from closed_months k where k.program_id = p.id and k.month = m.month)
  order by m.month, p.id
  limit $3
), begun as (
  insert into closed_months (program_id, month)
  select program_id, month from due
  on conflict do nothing
  returning program_id, month
), told as (
  insert into month_changes (program_id, affiliate_id, month)
  select d.program_id, his.affiliate_id, d.month
  from begun b
  join due d using (program_id, month)
  cross join lateral (
    select c.affiliate_id from conversions c
    where c.program_id = d.program_id and c.received_at >= d.lower and c.received_at < d.upper and c.affiliate_id is not null
    union
    select s.affiliate_id from conversions c join shares s on s.conversion_id = c.id
    where c.program_id = d.program_id and c.received_at >= d.lower and c.received_at < d.upper
  ) his
)
select count(*) from due
