-- affiliates.create: a publisher.
insert into affiliates (name, email, recruited_by, group_name) values ($1, $2, $3, $4) returning id
