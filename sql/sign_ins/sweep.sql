-- sign_ins.sweep: what is over: sessions, budgets that are forgotten anyway, browsers not seen for a year.
with sessions_gone as (
  delete from sessions where expires_at < now() or seen_at < now() - interval '30 minutes'
), devices_gone as (
  delete from known_devices where seen_at < now() - interval '1 year'
)
delete from sign_in_budgets where seen_at < now() - interval '1 day'
