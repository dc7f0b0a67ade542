-- settle.advance_watermark: an edge's hits 0..watermark-1 are committed, without a gap. The limit makes each
-- frame be looked up by its key, however many there are.
with recursive run (seq) as (
  select watermark from edges where edge_id = $1
  union all
  select f.end_seq
  from run
  cross join lateral (
    select first_seq + hits as end_seq from frames where edge_id = $1 and first_seq = run.seq limit 1
  ) f
)
update edges
set watermark = (select max(seq) from run), seen_at = now()
where edge_id = $1 and watermark < (select max(seq) from run)
