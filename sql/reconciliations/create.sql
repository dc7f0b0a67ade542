-- reconciliations.create: a list begins to come, for a program of the advertiser who asks ($2, null for the operator);
-- none when there were too many of the program's in the last day ($5).
insert into reconciliations (program_id, asked_from, asked_to)
select p.id, $3, $4
from programs p
where p.id = $1 and ($2::bigint is null or p.advertiser_id = $2)
  and (select count(*) from reconciliations r
       where r.program_id = p.id and r.created_at > now() - interval '1 day') < $5::bigint
returning id
