-- audit.no_timeout: the whole history is read.
set local statement_timeout = 0
