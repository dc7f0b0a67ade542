-- settle.claim_gap: the places from $2 to before $3 of a journal that no frame has claimed and that lie above
-- the watermark: no hit will come for them. They are claimed, and recorded as lost.
with taken (start, stop) as (
  select 0::bigint, watermark from edges where edge_id = $1
  union all
  select first_seq, first_seq + hits from frames where edge_id = $1 and first_seq < $3
  union all
  select $3::bigint, $3::bigint
), holes as (
  select greatest($2::bigint, max(stop) over (order by start, stop rows between unbounded preceding and 1 preceding)) as first_seq,
         least(start, $3::bigint) as stop
  from taken
), claimed as (
  insert into frames (edge_id, first_seq, hits)
  select $1, first_seq, (stop - first_seq)::int from holes where stop > first_seq
  on conflict do nothing
  returning first_seq, hits
), recorded as (
  insert into losses (edge_id, first_seq, hits)
  select $1, first_seq, hits from claimed
  returning hits
)
select coalesce(sum(hits), 0)::bigint from recorded
