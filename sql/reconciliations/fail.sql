-- reconciliations.fail: a list that did not come to its end, and why.
update reconciliations set status = 'failed', failure = $2 where id = $1 and status = 'uploading'
