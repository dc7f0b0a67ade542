-- reconciliations.append: lines of a list that is still coming. (PostgreSQL has no COPY into a table with row security.)
insert into reconciliation_rows (reconciliation_id, line, program_id, order_key, amount, currency, refunded, said, word, fault)
select r.id, line, r.program_id, 'id:' || order_id, amount, row.currency, refunded, said, word, fault
from reconciliations r,
     unnest($2::bigint[], $3::text[], $4::numeric[], $5::text[], $6::numeric[], $7::text[], $8::text[], $9::text[])
     row (line, order_id, amount, currency, refunded, said, word, fault)
where r.id = $1 and r.status = 'uploading'
