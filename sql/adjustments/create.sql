-- adjustments.create: by hand, with its transfer, in a program of the one who asks ($2, null for the operator), for an
-- affiliate who has to do with it. No row: there is no such program or affiliate for him.
with made as (
  insert into adjustments (program_id, affiliate_id, amount, currency, reason)
  select p.id, $3, $4, $5, $6
  from programs p
  where p.id = $1 and ($2::bigint is null or p.advertiser_id = $2) and is_affiliate_of($3, p.id)
  returning *
), posted as (
  insert into transfers (program_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount,
                         currency, event_at)
  select m.program_id, 'adjust', m.id,
         case when m.amount > 0 then 'advertiser' else 'affiliate_payable' end,
         case when m.amount > 0 then p.advertiser_id else m.affiliate_id end,
         case when m.amount > 0 then 'affiliate_payable' else 'advertiser' end,
         case when m.amount > 0 then m.affiliate_id else p.advertiser_id end,
         abs(m.amount), m.currency, m.created_at
  from made m join programs p on p.id = m.program_id
)
select id from made
