-- ledger.post: transfers, each once: a transfer is identified by its conversion, its code and its cause.
insert into transfers (conversion_id, code, cause_id, debit_account, debit_owner, credit_account,
                       credit_owner, amount, currency, event_at)
select conversion_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount,
       currency, to_timestamp(event_ms / 1000::float8)
from unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::bigint[],
            $8::numeric[], $9::text[], $10::bigint[])
     t (conversion_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount,
        currency, event_ms)
order by conversion_id, code, cause_id
on conflict on constraint transfers_once do nothing
