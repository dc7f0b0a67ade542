-- audit_log.add: what is no change of a row: who signed in or out, or tried to.
insert into audit_log (actor, actor_role, advertiser_id, action, resource, row_id, after)
values ($1, $2, $3, $4, $5, $6, $7)
