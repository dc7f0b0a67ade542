-- portal.programs: an advertiser's programs, each with the plan now in force and the signs of its health in the last week.
select p.id, p.name, p.landing_url, p.click_param, p.attribution, p.coupons, p.consent, p.window_days,
       p.hold_days, p.unsigned, p.paused_at is not null, plan.terms,
       exists (select from hits h where h.program_id = p.id and h.kind <> 'click'),
       health.day_hits, health.day_rejected, health.order_id_missing, health.order_id_shared,
       health.amount_ambiguous
from programs p
left join lateral (
  select terms from plans where program_id = p.id and created_at <= now() order by version desc limit 1
) plan on true
cross join lateral (
  select count(*) filter (where received_at > now() - interval '1 day') as day_hits,
         count(*) filter (where received_at > now() - interval '1 day' and outcome = 'rejected') as day_rejected,
         count(*) filter (where 'order_id_missing' = any(reasons)) as order_id_missing,
         count(*) filter (where 'order_id_shared' = any(reasons)) as order_id_shared,
         count(*) filter (where 'amount_ambiguous' = any(reasons)) as amount_ambiguous
  from (
    select received_at, outcome, reasons
    from hits
    where program_id = p.id and kind <> 'click' and outcome <> 'test'
      and received_at > now() - interval '7 days'
      and id > (extract(epoch from now() - interval '8 days') * 1000)::bigint << 22
    order by id desc
    limit 10000
  ) recent
) health
where p.advertiser_id = $1
order by p.name, p.id
limit 200
