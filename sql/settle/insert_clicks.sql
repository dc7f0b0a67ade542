-- settle.insert_clicks: the clicks that count, with the affiliate's sub ids.
insert into clicks (id, program_id, affiliate_id, link_id, clicked_at, s1, s2, s3, s4, s5)
select id, program_id, affiliate_id, link_id, to_timestamp(at_ms / 1000::float8), s1, s2, s3, s4, s5
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
            $6::text[], $7::text[], $8::text[], $9::text[], $10::text[])
     c (id, program_id, affiliate_id, link_id, at_ms, s1, s2, s3, s4, s5)
