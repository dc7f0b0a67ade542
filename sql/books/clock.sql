-- books.clock: the time that it is by now, also in a transaction that waited.
select (extract(epoch from clock_timestamp()) * 1000)::bigint
