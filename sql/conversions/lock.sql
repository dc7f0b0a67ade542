-- conversions.lock: a conversion of the advertiser who asks ($2, null for the operator), for a verdict by hand.
-- The cause of its last accrual tells an approval or rejection from one of an earlier booking.
select c.id, p.advertiser_id, c.affiliate_id, c.commission, c.commission_currency, c.status,
       c.revision::bigint as revision,
       (extract(epoch from now()) * 1000)::bigint as now_ms,
       coalesce((select t.cause_id from transfers t
                 where t.conversion_id = c.id and t.code = 'accrue' order by t.id desc limit 1), c.id) as cause_id
from conversions c
join programs p on p.id = c.program_id
where c.id = $1 and ($2::bigint is null or p.advertiser_id = $2)
for update of c
