-- reconciliations.no_timeout: a million lines take longer than any other statement may.
set local statement_timeout = '10min'
