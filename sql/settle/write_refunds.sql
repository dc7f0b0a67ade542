-- settle.write_refunds: refunds as their orders tell them; a row that says so already stays as it is. They come one
-- after the other as they are counted: their conversions are locked by now, and were not when the transaction began.
insert into refunds as r (id, program_id, conversion_id, refund_id, amount, currency, hit_id, note, created_at)
select *, statement_timestamp()
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::numeric[], $6::text[], $7::bigint[], $8::text[])
on conflict (conversion_id, refund_id) do update
set amount = excluded.amount, currency = excluded.currency, hit_id = excluded.hit_id,
    note = coalesce(excluded.note, r.note)
where (r.amount, r.currency, r.hit_id) is distinct from (excluded.amount, excluded.currency, excluded.hit_id)
   or excluded.note is distinct from r.note and excluded.note is not null
