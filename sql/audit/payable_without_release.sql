-- audit.payable_without_release: nothing is payable or paid that was not approved.
select c.id
from conversions c
where c.status in ('payable', 'paid') and c.commission > 0
  and not exists (select from transfers t where t.conversion_id = c.id and t.code = 'approve')
