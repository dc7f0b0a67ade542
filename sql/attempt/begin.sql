-- attempt.begin: what follows can be undone alone.
savepoint attempt
