-- settle.known_hits: which of these hits are kept.
select id from hits where id = any ($1::bigint[])
