-- verdicts.pending: ids of pending conversions by a filter, oldest first, and how many there are of them.
-- $1 advertiser, who asks; $2 program, $3 affiliate, $4 $5 time, half-open, $6 order ids; $7 only behind this; $8 limit.
with pending as (
  select c.id
  from conversions c
  join programs p on p.id = c.program_id
  where ($1::bigint is null or p.advertiser_id = $1)
    and c.program_id = $2 and c.status = 'pending'
    and ($3::bigint is null or c.affiliate_id = $3)
    and ($4::timestamptz is null or c.received_at >= $4)
    and ($5::timestamptz is null or c.received_at < $5)
    and ($6::text[] is null or c.kind in ('sale', 'lead') and c.order_key = any($6))
    and ($7::bigint is null or c.id > $7)
)
select id, (select count(*) from pending) as count from pending order by id limit $8
