-- replay.record: that a batch was applied, and what was asked for.
insert into replays (id, selected_from, selected_to, program_id, outcome)
values ($1, to_timestamp($2::bigint / 1000.0), to_timestamp($3::bigint / 1000.0), $4, $5)
