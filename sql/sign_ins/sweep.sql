-- sign_ins.sweep: what is over: sessions, budgets that are forgotten anyway, browsers not seen for a year,
-- invitations that ended a month ago; of each at most so many at once. Sessions by their end alone: the version
-- before does not write down when it saw them.
with sessions_gone as (
  delete from sessions where hash in (select hash from sessions where expires_at < now() limit 10000)
), devices_gone as (
  delete from known_devices
  where (hash, user_id) in (select hash, user_id from known_devices where seen_at < now() - interval '1 year' limit 10000)
    and seen_at < now() - interval '1 year'
), invitations_gone as (
  delete from invitations where id in (select id from invitations where expires_at < now() - interval '30 days' limit 10000)
)
delete from sign_in_budgets
where bucket in (select bucket from sign_in_budgets where seen_at < now() - interval '1 day' limit 10000)
  and seen_at < now() - interval '1 day'
