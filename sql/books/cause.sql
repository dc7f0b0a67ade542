-- books.cause: an id for what a person does, and the time.
select new_id(), (extract(epoch from now()) * 1000)::bigint
