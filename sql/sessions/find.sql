-- sessions.find: whose session this is; none when its time is over, its key revoked or the operator's key changed.
select k.id, k.advertiser_id, k.affiliate_id
from sessions s
left join api_keys k on k.id = s.api_key_id and k.revoked_at is null
where s.hash = $1 and s.expires_at > now() and (k.id is not null or s.operator_key = $2)
