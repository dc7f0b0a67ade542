-- replay.update_hits: hits with their new fates. What a dead letter had none of is filled in from its bytes.
update hits h
set id = c.id, received_at = to_timestamp(c.received_ms / 1000.0), kind = c.kind, code = c.code,
    program_id = c.program_id, affiliate_id = c.affiliate_id, outcome = c.outcome,
    reasons = string_to_array(c.reasons, ' '), conversion_id = c.conversion_id
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::text[],
            $9::text[], $10::bigint[])
     c (former_id, id, received_ms, kind, code, program_id, affiliate_id, outcome, reasons, conversion_id)
where h.id = c.former_id
