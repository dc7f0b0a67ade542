-- hits.reader: a tracking code and its program as they are now, to read a stored hit again.
select t.id, t.secret, p.id as program_id, p.advertiser_id, a.currency, p.landing_url, p.click_param,
       p.coupons, p.consent, p.window_days, p.hold_days
from tracking_codes t
join programs p on p.id = t.program_id
join advertisers a on a.id = p.advertiser_id
where t.code = $1
