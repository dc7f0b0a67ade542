-- replay.no_timeout: hits are looked for over a long time.
set local statement_timeout = 0
