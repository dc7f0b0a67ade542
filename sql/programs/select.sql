-- programs.select: one or a page, newest first, each with its newest plan.
-- $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit; $6 only this advertiser's.
select p.id, p.advertiser_id, a.currency as home, p.name, p.landing_url, p.allowed_hosts, p.click_param,
       p.attribution, p.window_days, p.hold_days, p.unsigned, p.coupons, p.consent, p.payout_minimum, p.paused_at,
       p.created_at, p.xmin::text::bigint as revision,
       plan.id as plan_id, plan.version, plan.terms, plan.created_at as plan_created_at
from programs p
join advertisers a on a.id = p.advertiser_id
left join lateral (select * from plans where program_id = p.id order by version desc limit 1) plan on true
where ($1::bigint is null or p.advertiser_id = $1)
  and $2::bigint is null
  and ($3::bigint is null or p.id = $3)
  and ($4::bigint is null or p.id < $4)
  and ($6::bigint is null or p.advertiser_id = $6)
order by p.id desc
limit $5
