-- months.conversions: what affiliate $2 has a part in, of program $1 and received from $3 to before $4, and counts. What
-- payouts hold of it is not looked for: nothing of it is changed.
select c.id, c.program_id, c.kind, c.order_key, c.revision, c.facts, p.advertiser_id, c.affiliate_id,
       c.commission, c.commission_currency, c.status, c.plan_id, c.held,
       (extract(epoch from c.hold_until) * 1000)::bigint, c.reasons, c.reversed, c.refunded, c.renews,
       (select jsonb_agg(jsonb_build_object(
                 'part', s.part, 'affiliate_id', s.affiliate_id, 'kind', s.kind, 'level', s.level,
                 'commission', s.commission::text, 'reversed', s.reversed::text, 'currency', s.currency,
                 'status', s.status) order by s.part)
        from shares s where s.conversion_id = c.id) as shares,
       false as paid_out
from (
  select id from conversions
  where affiliate_id = $2 and received_at >= $3 and received_at < $4 and program_id = $1
  union
  select o.id
  from shares s
  join conversions o on o.id = s.conversion_id
  where s.affiliate_id = $2 and s.program_id = $1 and o.received_at >= $3 and o.received_at < $4
) his
join conversions c on c.id = his.id
join programs p on p.id = c.program_id
where c.status in ('pending', 'payable', 'paid') and not c.held
