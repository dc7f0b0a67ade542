-- caller.walls: what keeps row security from holding for whoever this connection acts as; nothing, as a rule.
select case
         when r.rolsuper then 'is a superuser'
         when r.rolbypassrls then 'has BYPASSRLS'
         when exists (select from pg_class c
                      where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
                        and pg_has_role(c.relowner, 'usage')) then 'owns tables'
       end,
       r.rolname::text
from pg_roles r
where r.rolname = current_user
