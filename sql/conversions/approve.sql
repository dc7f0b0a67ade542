-- conversions.approve: by hand, before its time. Its transfer is written in the same transaction.
update conversions
set status = 'payable', held = false, revision = revision + 1, updated_at = now()
where id = $1
