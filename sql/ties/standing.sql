-- ties.standing: how affiliates ($1) stand, and those above them.
select id, paused_ms, recruited_by, group_name from standing_of($1)
