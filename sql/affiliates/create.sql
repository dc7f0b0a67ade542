-- affiliates.create: a publisher.
insert into affiliates (name, email) values ($1, $2) returning id
