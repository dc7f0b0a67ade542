-- settle.insert_hits: each hit of the claimed frames, as it came, with its one outcome.
insert into hits (id, edge_id, seq, received_at, kind, code, program_id, affiliate_id, outcome, reasons,
                  conversion_id, raw)
select id, edge_id, seq, to_timestamp(received_ms / 1000::float8), kind, code, program_id, affiliate_id, outcome,
       string_to_array(reasons, ' '), conversion_id, raw
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
            $8::bigint[], $9::text[], $10::text[], $11::bigint[], $12::bytea[])
     h (id, edge_id, seq, received_ms, kind, code, program_id, affiliate_id, outcome, reasons,
        conversion_id, raw)
