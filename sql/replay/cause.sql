-- replay.cause: an id for the transfers of one batch, and the time.
select new_id(), (extract(epoch from now()) * 1000)::bigint
