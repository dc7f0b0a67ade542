-- ledger.post_rated: as ledger.post, where amounts of some were exchanged from another currency: with the rate of those.
insert into transfers (conversion_id, program_id, part, code, cause_id, debit_account, debit_owner, credit_account,
                       credit_owner, amount, currency, event_at, rate, rate_on, rate_source)
select conversion_id, program_id, part, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount,
       currency, to_timestamp(event_ms / 1000::float8), rate, rate_on, rate_source
from unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::text[],
            $9::bigint[], $10::numeric[], $11::text[], $12::bigint[], $13::numeric[], $14::date[], $15::text[])
     with ordinality
     t (conversion_id, program_id, part, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount,
        currency, event_ms, rate, rate_on, rate_source, place)
order by conversion_id, place
on conflict on constraint transfers_once do nothing
