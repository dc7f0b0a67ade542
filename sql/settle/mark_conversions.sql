-- settle.mark_conversions: what few new conversions have: money that went back before the sale was told, and whose
-- renewal it is.
update conversions o
set reversed = c.reversed, refunded = c.refunded, renews = c.renews
from unnest($1::bigint[], $2::numeric[], $3::numeric[], $4::text[]) c (id, reversed, refunded, renews)
where o.id = c.id
