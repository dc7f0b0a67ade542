-- plans.create: the next version, in force from now on. The program is locked.
insert into plans (program_id, version, terms)
values ($1, coalesce((select max(version) from plans where program_id = $1), 0) + 1, $2)
returning version
