-- caller.commit: what went wrong before makes it a rollback.
commit
