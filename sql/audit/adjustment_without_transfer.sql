-- audit.adjustment_without_transfer: an adjustment is one transfer, of its amount and in its direction; and no other
-- transfer is of an adjustment. From the id $1 on.
with touched as (
  select id from adjustments where id >= $1
  union
  select cause_id from transfers where id >= $1 and code = 'adjust'
)
select touched.id
from touched
left join adjustments a on a.id = touched.id
where a.id is null
   or array(select (t.program_id, t.debit_account, t.debit_owner, t.credit_account, t.credit_owner, trim_scale(t.amount), t.currency)::text
            from transfers t where t.conversion_id is null and t.code = 'adjust' and t.cause_id = a.id)
      is distinct from (
        select array[case when a.amount > 0
          then (a.program_id, 'advertiser', p.advertiser_id, 'affiliate_payable', a.affiliate_id, trim_scale(a.amount), a.currency)::text
          else (a.program_id, 'affiliate_payable', a.affiliate_id, 'advertiser', p.advertiser_id, trim_scale(-a.amount), a.currency)::text
          end]
        from programs p where p.id = a.program_id)
