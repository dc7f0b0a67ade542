-- settle.prune_frames: keys below the watermark are not needed. They stay some minutes, longer than any
-- transaction lives, so that a worker that saw an older watermark still meets them.
delete from frames f
using edges e
where e.edge_id = f.edge_id and f.first_seq < e.watermark and f.claimed_at < now() - interval '10 minutes'
