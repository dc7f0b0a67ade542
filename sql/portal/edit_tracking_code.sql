-- portal.edit_tracking_code: where a buyer goes after the form; touches nothing that is another advertiser's.
update tracking_codes t
set redirect_url = $3, return_method = $4
from programs p
where t.id = $2 and p.id = t.program_id and p.advertiser_id = $1
returning t.id
