-- settle.advance_watermark: an edge's hits 0..watermark-1 are committed, without a gap.
with recursive run (seq) as (
  select watermark from edges where edge_id = $1
  union all
  select f.first_seq + f.hits from run join frames f on f.edge_id = $1 and f.first_seq = run.seq
)
update edges
set watermark = (select max(seq) from run), seen_at = now()
where edge_id = $1 and watermark < (select max(seq) from run)
