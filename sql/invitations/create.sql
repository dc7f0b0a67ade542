-- invitations.create: a link for one person, seven days long; $1 is the digest of what is in it. One for a
-- password ($2) ends those that were made for that before. $9: the operator's first key of now.
with former as (delete from invitations where user_id = $2 and used_at is null)
insert into invitations (hash, user_id, email, role, advertiser_id, affiliate_id, scopes, made_by, operator_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, case $8 when 'first-key' then $9::bytea end)
returning id
