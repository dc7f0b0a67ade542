-- audit.transfer_of_another: a transfer's program is there and that of its conversion, if it has one, and its owners
-- are that program's advertiser and an affiliate. From the id $1 on.
select t.id
from transfers t
left join conversions c on c.id = t.conversion_id
left join programs p on p.id = t.program_id
left join affiliates d on d.id = t.debit_owner
left join affiliates r on r.id = t.credit_owner
where t.id >= $1
  and (   p.id is null
       or t.conversion_id is not null and c.program_id is distinct from t.program_id
       or case when t.debit_account in ('advertiser', 'exchange') then t.debit_owner <> p.advertiser_id else d.id is null end
       or case when t.credit_account in ('advertiser', 'exchange') then t.credit_owner <> p.advertiser_id else r.id is null end)
