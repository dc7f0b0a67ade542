-- sign_ins.reserve: an attempt is counted as failed before it is made, so that many at once are many. The first
-- $2 are free; each more makes the next wait twice as long, up to a quarter of an hour; after a quiet day all is forgotten.
-- Gives whether it may be made, and if not, in how many seconds.
with taken as (
  insert into sign_in_budgets as b (bucket, failures, until) values ($1, 1, 'epoch')
  on conflict (bucket) do update
  set failures = case when b.seen_at < now() - interval '1 day' then 1 else b.failures + 1 end,
      until = case when b.seen_at < now() - interval '1 day' or b.failures < $2 then 'epoch'
                   else now() + least(2 ^ least(b.failures - $2, 10), 900) * interval '1 second' end,
      seen_at = now()
  where b.until <= now()
  returning 1
)
select exists (select from taken),
       greatest(ceil(coalesce((select extract(epoch from until - now()) from sign_in_budgets where bucket = $1), 1)), 1)::bigint
