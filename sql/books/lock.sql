-- books.lock: a conversion, by its id ($1) or by what it is recognised by ($2 program, $3 kind, $4 key), of the
-- advertiser who asks ($5, null for the operator). It is read by a statement of its own, whose snapshot is from after
-- the lock: what this one sees beside the locked row, shares and transfers, may be from before.
select c.id
from conversions c
join programs p on p.id = c.program_id
where ($1::bigint is null or c.id = $1)
  and ($2::bigint is null or c.program_id = $2 and c.kind = $3 and c.order_key = $4)
  and num_nonnulls($1, $2) = 1
  and ($5::bigint is null or p.advertiser_id = $5)
for update of c
