-- catalog.tracking_codes: every tracking code, with what the edge needs to check and answer its hits.
select id, program_id, code, secret, redirect_url, return_method = 'link'
from tracking_codes
