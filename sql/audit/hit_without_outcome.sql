-- audit.hit_without_outcome: every hit below its edge's watermark is kept, once; or known to be lost.
select e.edge_id, e.watermark, count(h.id) as kept, l.hits as lost
from edges e
left join hits h on h.edge_id = e.edge_id and h.seq < e.watermark
cross join lateral (
  select coalesce(sum(hits), 0) as hits from losses where edge_id = e.edge_id and first_seq < e.watermark
) l
group by e.edge_id, e.watermark, l.hits
having count(h.id) + l.hits <> e.watermark or count(distinct h.seq) + l.hits <> e.watermark
