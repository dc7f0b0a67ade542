-- audit.payable_without_release: nothing is payable or paid that was not approved, or came back to what was. From the
-- id $1 on, of a conversion or of one of its transfers.
select c.id
from conversions c
where c.id in (select id from conversions where id >= $1
               union select conversion_id from transfers where id >= $1 and conversion_id is not null)
  and c.status in ('payable', 'paid') and c.commission - c.reversed > 0
  and not exists (select from transfers t
                  where t.conversion_id = c.id and t.part = 0 and t.code in ('approve', 'restore')
                    and t.credit_account = 'affiliate_payable')
