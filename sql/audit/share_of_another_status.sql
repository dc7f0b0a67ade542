-- audit.share_of_another_status: the shares of a conversion go where its own affiliate's commission goes; only what
-- is paid is paid for itself. From the id $1 on.
select s.conversion_id, s.part
from shares s
left join conversions c on c.id = s.conversion_id
where s.conversion_id >= $1
  and (c.id is null or c.program_id <> s.program_id
       or replace(s.status, 'paid', 'payable') <> replace(c.status, 'paid', 'payable'))
