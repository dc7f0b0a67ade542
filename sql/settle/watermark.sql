-- settle.watermark: how far an edge's journal is committed.
select watermark from edges where edge_id = $1
