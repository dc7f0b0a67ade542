-- ledger.release: pending becomes payable. The transfers are written in the same transaction.
update conversions set status = 'payable', revision = revision + 1, updated_at = now() where id = any($1)
