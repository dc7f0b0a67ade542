-- replay.keys: what these conversions are recognised by.
select program_id, kind, order_key from conversions where id = any ($1::bigint[])
