-- books.update: a conversion as a person's action leaves it; $26 is what he wrote who rejected it. Its row is locked.
update conversions o
set revision = o.revision + 1, order_id = c.order_id, amount = c.amount, currency = c.currency,
    affiliate_id = c.affiliate_id, link_id = c.link_id, click_id = c.click_id,
    attributed_by = c.attributed_by, plan_id = c.plan_id, commission = c.commission,
    commission_currency = c.commission_currency, status = c.status, held = c.held,
    hold_until = to_timestamp(c.hold_until_ms / 1000::float8), verified = c.verified,
    received_at = to_timestamp(c.received_ms / 1000::float8), reasons = string_to_array(c.reasons, ' '),
    rejection = coalesce($26, o.rejection), facts = c.facts, reversed = c.reversed, refunded = c.refunded, renews = c.renews, updated_at = now()
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::numeric[], $7::text[],
            $8::bigint[], $9::bigint[], $10::bigint[], $11::text[], $12::bigint[], $13::numeric[],
            $14::text[], $15::text[], $16::boolean[], $17::bigint[], $18::boolean[], $19::bigint[],
            $20::text[], $21::jsonb[], $22::int[], $23::numeric[], $24::numeric[], $25::text[])
     c (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id, click_id,
        attributed_by, plan_id, commission, commission_currency, status, held, hold_until_ms, verified,
        received_ms, reasons, facts, revision, reversed, refunded, renews)
where o.id = c.id and o.revision = c.revision
