-- earnings.plans: the programs that an affiliate may sell for or has shares in, each with the plan now in force, his
-- coupons there, and in which group he is; $2 at most.
select p.name, a.currency, plan.terms, f.group_name, own.coupons, own.linked or cardinality(own.coupons) > 0 as sells
from programs p
join advertisers a on a.id = p.advertiser_id
join affiliates f on f.id = $1
left join lateral (
  select terms from plans where program_id = p.id and created_at <= now() order by version desc limit 1
) plan on true
cross join lateral (
  select array(select c.code from coupons c where c.program_id = p.id and c.affiliate_id = $1) as coupons,
         exists (select from links l where l.program_id = p.id and l.affiliate_id = $1) as linked
) own
where own.linked or cardinality(own.coupons) > 0
   or exists (select from shares s where s.program_id = p.id and s.affiliate_id = $1)
order by p.name, p.id
limit $2
