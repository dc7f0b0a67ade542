-- settle.register_edges: a journal that is seen for the first time gets its row.
insert into edges (edge_id, edge_number)
select edge_id, edge_number
from unnest($1::bigint[], $2::int[]) e (edge_id, edge_number)
order by edge_id
on conflict (edge_id) do nothing
