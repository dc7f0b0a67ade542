-- settle.write_chargebacks: chargebacks as their orders tell them; a row that says so already stays as it is.
insert into chargebacks as b (id, program_id, conversion_id, chargeback_id, amount, currency, status, reason,
                              requested_at, closed_at, hit_id, note)
select id, program_id, conversion_id, chargeback_id, amount, currency, status, reason,
       to_timestamp(requested_ms / 1000::float8), to_timestamp(closed_ms / 1000::float8), hit_id, note
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::numeric[], $6::text[], $7::text[], $8::text[],
            $9::bigint[], $10::bigint[], $11::bigint[], $12::text[])
     c (id, program_id, conversion_id, chargeback_id, amount, currency, status, reason, requested_ms, closed_ms,
        hit_id, note)
on conflict (conversion_id, chargeback_id) do update
set amount = excluded.amount, currency = excluded.currency, status = excluded.status, reason = excluded.reason,
    requested_at = excluded.requested_at, closed_at = excluded.closed_at, hit_id = excluded.hit_id,
    note = coalesce(excluded.note, b.note), revision = b.revision + 1, updated_at = now()
where (b.amount, b.currency, b.status, b.reason, b.requested_at, b.closed_at, b.hit_id)
      is distinct from (excluded.amount, excluded.currency, excluded.status, excluded.reason, excluded.requested_at,
                        excluded.closed_at, excluded.hit_id)
   or excluded.note is distinct from b.note and excluded.note is not null
