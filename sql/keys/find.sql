-- keys.find: who presents this key; a key carries exactly the owner of its role.
select id, advertiser_id, affiliate_id
from api_keys
where hash = $1 and revoked_at is null
