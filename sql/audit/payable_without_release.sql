-- audit.payable_without_release: nothing is payable or paid that was not approved. From the id $1 on, of a
-- conversion or of one of its transfers.
select c.id
from conversions c
where c.id in (select id from conversions where id >= $1 union select conversion_id from transfers where id >= $1)
  and c.status in ('payable', 'paid') and c.commission > 0
  and not exists (select from transfers t where t.conversion_id = c.id and t.code = 'approve')
