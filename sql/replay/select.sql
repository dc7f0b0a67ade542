-- replay.select: the next hits to decide again, $1 the first id that may be and $2 the one that may not, at
-- most $7. Hits with an id below zero have none of their own: their time is what the row says ($3 to before
-- $4), or nobody knows it yet. $5 the program, of the hit, or of its code where the hit has none; $6 the outcome.
select id
from hits
where id >= $1 and id < $2
  and (id >= 0 or received_at = to_timestamp(0)
       or received_at >= to_timestamp($3::bigint / 1000.0) and received_at < to_timestamp($4::bigint / 1000.0))
  and ($5::bigint is null or program_id = $5 or program_id is null)
  and ($6::text is null or outcome = $6)
order by id
limit $7
