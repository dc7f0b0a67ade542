-- statements.programs: of an advertiser ($1), or those that an affiliate ($2) has to do with: what they are called, and
-- whose days theirs are.
select p.id, p.name, a.name as advertiser, a.timezone
from programs p
join advertisers a on a.id = p.advertiser_id
where ($1::bigint is null or p.advertiser_id = $1)
  and ($2::bigint is null
       or exists (select from links l where l.program_id = p.id and l.affiliate_id = $2)
       or exists (select from coupons c where c.program_id = p.id and c.affiliate_id = $2)
       or exists (select from shares s where s.program_id = p.id and s.affiliate_id = $2))
