-- invitations.delete: one that nobody used yet. $2: only at this revision.
delete from invitations
where id = $1 and used_at is null and ($2::bigint is null or xmin::text::bigint = $2)
returning id
