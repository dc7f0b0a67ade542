-- sales.names: of affiliates, as far as the one who asks may see them.
select id, name from affiliates where id = any($1)
