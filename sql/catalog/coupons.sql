-- catalog.coupons: every coupon that attributes.
select program_id, affiliate_id, code,
       (extract(epoch from valid_from) * 1000)::bigint, (extract(epoch from valid_to) * 1000)::bigint
from coupons
