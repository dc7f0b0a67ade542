-- catalog.programs: every program, or only $1, with its advertiser's currency and time zone.
select p.id, p.advertiser_id, a.currency, p.landing_url, p.allowed_hosts, p.click_param, p.attribution,
       p.coupons, p.consent, p.window_days, p.hold_days, p.unsigned,
       (extract(epoch from p.paused_at) * 1000)::bigint, a.timezone
from programs p
join advertisers a on a.id = p.advertiser_id
where $1::bigint is null or p.id = $1
