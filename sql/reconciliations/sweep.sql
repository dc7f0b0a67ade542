-- reconciliations.sweep: lines of lists that failed or are old, some at a time ($1). What was found by them stays.
delete from reconciliation_rows
where (reconciliation_id, line) in (
  select w.reconciliation_id, w.line
  from reconciliations r
  cross join lateral (select * from reconciliation_rows w where w.reconciliation_id = r.id limit $1::bigint) w
  where r.status = 'failed' or r.created_at < now() - interval '90 days'
  limit $1::bigint)
