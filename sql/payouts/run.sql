-- payouts.run: a run of a program, for what was earned before $2.
insert into payout_runs (program_id, until) values ($1, $2) returning id
