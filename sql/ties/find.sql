-- ties.find: whose customers these are ($1 programs, $2 names): by all sales that are known, and by those other than
-- the conversions $3, which are being settled. What is rejected, or waits for a person, ties nobody.
select k.program_id, k.customer, apart.only_others, t.hit_id, t.unverified, t.affiliate_id, t.link_id, t.click_id,
       (extract(epoch from t.tied_at) * 1000)::bigint as tied_ms
from unnest($1::bigint[], $2::text[]) k (program_id, customer)
cross join (values (false), (true)) apart (only_others)
cross join lateral (
  select cu.*
  from customers cu
  join conversions c on c.id = cu.conversion_id
  where cu.program_id = k.program_id and cu.customer = k.customer and cu.affiliate_id is not null
    and c.status <> 'rejected'
    and not (c.reasons && array['unsigned_held', 'revived', 'order_id_missing'] and not 'approved_by_hand' = any (c.reasons))
    and not (apart.only_others and cu.conversion_id = any ($3::bigint[]))
  order by cu.unverified, cu.hit_id
  limit 1
) t
