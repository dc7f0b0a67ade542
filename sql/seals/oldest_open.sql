-- seals.oldest_open: the oldest transfer that no seal covers yet.
select id from transfers
where id > (select coalesce(max(last_id), -9223372036854775808) from seals)
order by id
limit 1
