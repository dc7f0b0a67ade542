-- audit.hit_without_outcome: every hit below its edge's watermark is kept, once.
select e.edge_id, e.watermark - count(h.id) as missing
from edges e
left join hits h on h.edge_id = e.edge_id and h.seq < e.watermark
group by e.edge_id, e.watermark
having count(h.id) <> e.watermark or count(distinct h.seq) <> e.watermark
