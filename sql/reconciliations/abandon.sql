-- reconciliations.abandon: lists whose sender or receiver went away in the middle. None may take so long.
update reconciliations set status = 'failed', failure = 'abandoned'
where status = 'uploading' and created_at < now() - interval '1 day'
