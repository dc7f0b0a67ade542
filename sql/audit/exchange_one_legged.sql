-- audit.exchange_one_legged: an exchange is two transfers, out of one currency and into another, as it says; and no
-- other transfer is of an exchange. From the id $1 on.
with touched as (
  select id from exchanges where id >= $1
  union
  select cause_id from transfers where id >= $1 and code = 'exchange'
)
select touched.id
from touched
left join exchanges e on e.id = touched.id
where e.id is null
   or array(select (t.program_id, t.debit_account, t.debit_owner, t.credit_account, t.credit_owner, trim_scale(t.amount), t.currency)::text
            from transfers t where t.conversion_id is null and t.code = 'exchange' and t.cause_id = e.id order by t.part)
      is distinct from (
        select array[(e.program_id, 'affiliate_payable', e.affiliate_id, 'exchange', p.advertiser_id, trim_scale(e.from_amount),
                      e.from_currency)::text,
                     (e.program_id, 'exchange', p.advertiser_id, 'affiliate_payable', e.affiliate_id, trim_scale(e.to_amount),
                      e.to_currency)::text]
        from programs p where p.id = e.program_id)
