-- sales.affiliates: who has to do with an advertiser's programs, by link, coupon or share, and may be given money there; $2 only
-- this one.
with own as (
  select id from programs where advertiser_id = $1
)
select f.id, f.name
from affiliates f
where ($2::bigint is null or f.id = $2)
  and f.id in (select l.affiliate_id from links l where l.program_id in (select id from own)
               union
               select c.affiliate_id from coupons c where c.program_id in (select id from own)
               union
               select s.affiliate_id from shares s where s.program_id in (select id from own))
order by f.name, f.id
limit 1000
