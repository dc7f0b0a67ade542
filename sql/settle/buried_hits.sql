-- settle.buried_hits: which of these hits are dead letters: the ids of their places, and the same bytes.
select h.id
from unnest($1::bigint[], $2::bytea[]) b (id, raw)
join hits h on h.id = b.id and h.raw = b.raw
