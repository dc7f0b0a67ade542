-- settle.insert_conversions: orders not known before. Fewer rows than given: another worker was first.
-- The rows come sorted by their key, so that two workers cannot deadlock.
insert into conversions (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id,
                         click_id, attributed_by, plan_id, commission, commission_currency, status, held,
                         hold_until, verified, received_at, reasons, facts)
select id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id, click_id,
       attributed_by, plan_id, commission, commission_currency, status, held,
       to_timestamp(hold_until_ms / 1000::float8), verified, to_timestamp(received_ms / 1000::float8),
       string_to_array(reasons, ' '), facts
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::text[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::bigint[], $13::numeric[],
            $14::text[], $15::text[], $16::boolean[], $17::bigint[], $18::boolean[], $19::bigint[],
            $20::text[], $21::jsonb[])
     c (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id, click_id,
        attributed_by, plan_id, commission, commission_currency, status, held, hold_until_ms, verified,
        received_ms, reasons, facts)
on conflict (program_id, kind, order_key) do nothing
