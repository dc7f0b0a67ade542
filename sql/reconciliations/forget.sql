-- reconciliations.forget: the lines of one that failed.
delete from reconciliation_rows r
where r.reconciliation_id = $1
  and exists (select from reconciliations f where f.id = r.reconciliation_id and f.status = 'failed')
