-- invitations.find: one whose link is good still. $2: the operator's first key of now.
select i.id, i.user_id, i.email, i.role, i.advertiser_id, i.affiliate_id, i.scopes, u.name
from invitations i
left join users u on u.id = i.user_id
where i.hash = $1 and invitation_is_good(i, $2)
