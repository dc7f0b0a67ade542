-- portal.conversion: one of an advertiser's conversions, with the frozen terms of its plan, what is known of its order, and what others
-- have of it.
select c.order_id, c.kind, c.amount, c.currency, f.name, c.attributed_by, c.commission,
       c.commission_currency, c.status, c.held, c.hold_until, c.verified, c.reasons, plan.version, plan.terms,
       c.facts, a.currency as home,
       (select string_agg(coalesce(o.name, 'affiliate ' || s.affiliate_id) || ' (' || s.kind || coalesce(' ' || s.level, '') || '): ' || s.commission || ' ' || s.currency, '; '
                          order by s.part)
        from shares s
        left join affiliates o on o.id = s.affiliate_id
        where s.conversion_id = c.id and s.commission > 0) as shares,
       (select coalesce(sum(s.commission), 0)
        from shares s
        where s.conversion_id = c.id and s.kind = 'touch' and s.currency = c.commission_currency) as touches
from conversions c
join programs p on p.id = c.program_id
join advertisers a on a.id = p.advertiser_id
left join plans plan on plan.id = c.plan_id
left join affiliates f on f.id = c.affiliate_id
where p.advertiser_id = $1 and c.id = $2
