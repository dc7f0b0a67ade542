-- audit.hit_without_outcome: every hit below its edge's watermark is kept, once; or known to be lost. From the id
-- $1 on: places are given in the order of ids but for hits of the same moment, so that what lies behind the
-- hits of the first ten seconds has its id from there on. What was recorded as lost may have come after all, by
-- an entry that was on its way: it counts as lost here.
with recent as (
  select edge_id, seq, id from hits where id >= $1 or id < 0
), span as (
  select edge_id, coalesce(max(seq) filter (where id < $1 + (10000::bigint << 22)) + 1, min(seq)) as first_seq
  from recent
  where id >= $1
  group by edge_id
)
select e.edge_id, f.seq, e.watermark, kept.hits, lost.hits
from edges e
left join span s using (edge_id)
cross join lateral (select case when $1 < 0 then 0 else s.first_seq end as seq) f
left join lateral (
  select count(*) as hits, count(distinct r.seq) as places
  from recent r
  left join losses l on l.edge_id = r.edge_id and r.seq >= l.first_seq and r.seq < l.first_seq + l.hits
  where r.edge_id = e.edge_id and r.seq >= f.seq and r.seq < e.watermark and l.edge_id is null
) kept on true
cross join lateral (
  select coalesce(sum(hits), 0) as hits
  from losses l where l.edge_id = e.edge_id and l.first_seq >= f.seq and l.first_seq < e.watermark
) lost
where e.watermark > f.seq
  and (kept.hits + lost.hits <> e.watermark - f.seq or kept.places + lost.hits <> e.watermark - f.seq)
