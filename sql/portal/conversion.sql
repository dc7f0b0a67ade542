-- portal.conversion: one of an advertiser's conversions, with the frozen terms of its plan.
select c.order_id, c.kind, c.amount, c.currency, f.name, c.attributed_by, c.commission,
       c.commission_currency, c.status, c.held, c.hold_until, c.verified, c.reasons, plan.version, plan.terms
from conversions c
join programs p on p.id = c.program_id
left join plans plan on plan.id = c.plan_id
left join affiliates f on f.id = c.affiliate_id
where p.advertiser_id = $1 and c.id = $2
