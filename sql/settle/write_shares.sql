-- settle.write_shares: what others than its own affiliate have of a conversion. A share that nobody has any more
-- stays, with nothing in it.
insert into shares (conversion_id, part, program_id, affiliate_id, kind, level, commission, reversed, currency, status)
select *
from unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::text[], $6::smallint[], $7::numeric[],
            $8::numeric[], $9::text[], $10::text[])
on conflict (conversion_id, part) do update
set affiliate_id = excluded.affiliate_id, kind = excluded.kind, level = excluded.level,
    commission = excluded.commission, reversed = excluded.reversed, currency = excluded.currency,
    status = excluded.status
