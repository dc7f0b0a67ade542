-- settle.claim_frames: the frames among these that nobody has settled, ours from now on. A second worker
-- with the same frame waits here for the first's transaction and then gets nothing.
insert into frames (edge_id, first_seq, hits)
select f.edge_id, f.first_seq, f.hits
from unnest($1::bigint[], $2::bigint[], $3::int[]) f (edge_id, first_seq, hits)
join edges e on e.edge_id = f.edge_id and f.first_seq >= e.watermark
order by f.edge_id, f.first_seq
for key share of e
on conflict do nothing
returning edge_id, first_seq
