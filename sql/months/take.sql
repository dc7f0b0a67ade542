-- months.take: takes the turn to close an affiliate's month; how much was told of it. Who comes second waits here, and
-- finds nothing; what is committed after this statement stands for the next turn.
with taken as (
  delete from month_changes where program_id = $1 and affiliate_id = $2 and month = $3 returning 1
)
select count(*) from taken
