-- exchanges.create: out of one currency, into another: two transfers with one cause. The rate stands on the row that it
-- made the amount of.
with made as (
  insert into exchanges (program_id, affiliate_id, from_amount, from_currency, to_amount, to_currency, rate, rate_on,
                         rate_source)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  returning *
), posted as (
  insert into transfers (program_id, code, cause_id, part, debit_account, debit_owner, credit_account, credit_owner,
                         amount, currency, event_at, rate, rate_on, rate_source)
  select m.program_id, 'exchange', m.id, 0, 'affiliate_payable', m.affiliate_id, 'exchange', p.advertiser_id,
         m.from_amount, m.from_currency, m.created_at, null::numeric, null::date, null::text
  from made m join programs p on p.id = m.program_id
  union all
  select m.program_id, 'exchange', m.id, 1, 'exchange', p.advertiser_id, 'affiliate_payable', m.affiliate_id,
         m.to_amount, m.to_currency, m.created_at, m.rate, m.rate_on, m.rate_source
  from made m join programs p on p.id = m.program_id
)
select id from made
