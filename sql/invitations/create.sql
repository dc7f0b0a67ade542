-- invitations.create: a link for one person, seven days long; $1 is the digest of what is in it. One for a
-- password ($2) ends those that were made for that before.
with former as (delete from invitations where user_id = $2 and used_at is null)
insert into invitations (hash, user_id, email, role, advertiser_id, affiliate_id, scopes, made_by)
values ($1, $2, $3, $4, $5, $6, $7, $8)
returning id
