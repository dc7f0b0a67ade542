-- portal.tracking_codes: an advertiser's tracking codes, $2 at most, with the secret, which is his own.
select t.id, t.program_id, t.code, t.name, t.secret, t.redirect_url, t.return_method
from tracking_codes t
join programs p on p.id = t.program_id
where p.advertiser_id = $1
order by t.id
limit $2
