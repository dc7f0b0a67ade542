-- seals.add: one block for each advertiser of the $2 transfers that come next, below the id $1; how many transfers
-- were sealed. By ranges of the primary key, so that settling pays for no index.
with fresh as materialized (
  select t.id, t.program_id, transfer_line(t) as line
  from transfers t
  where t.id > (select coalesce(max(last_id), -9223372036854775808) from seals) and t.id < $1
  order by t.id
  limit $2
), blocks as (
  select p.advertiser_id, min(f.id) as first_id, max(f.id) as last_id, count(*)::integer as transfers,
         sha256(convert_to(string_agg(f.line, '' order by f.id), 'UTF8')) as lines
  from fresh f
  join programs p on p.id = f.program_id
  group by p.advertiser_id
), next as (
  select row(b.advertiser_id, coalesce(s.number, 0) + 1, 1, b.first_id, b.last_id, b.transfers, null, now())::seals as seal,
         coalesce(s.hash, '') as before, b.lines
  from blocks b
  left join lateral (
    select number, hash from seals where advertiser_id = b.advertiser_id order by number desc limit 1
  ) s on true
), added as (
  insert into seals (advertiser_id, number, format, first_id, last_id, transfers, hash, sealed_at)
  select (seal).advertiser_id, (seal).number, (seal).format, (seal).first_id, (seal).last_id, (seal).transfers,
         sha256(before || convert_to(seal_line(seal), 'UTF8') || lines), (seal).sealed_at
  from next
  returning transfers
)
select coalesce(sum(transfers), 0)::bigint from added
