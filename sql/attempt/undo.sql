-- attempt.undo: as if nothing had been attempted.
rollback to savepoint attempt
