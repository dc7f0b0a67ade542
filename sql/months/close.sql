-- months.close: a closing of affiliate $2's month $3 in program $1, in currency $4: the $5th; $6 is due, $7 was booked
-- before, by lines $8. The difference, if there is one, is an adjustment with reason $9, and its transfer.
with adjusted as (
  insert into adjustments (program_id, affiliate_id, amount, currency, reason, month)
  select $1, $2, $6::numeric - $7::numeric, $4, $9, $3
  where $6::numeric <> $7::numeric
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
  from adjusted m
  join programs p on p.id = m.program_id
)
insert into month_closes (program_id, affiliate_id, month, currency, number, due, booked_before, adjustment_id, lines)
values ($1, $2, $3, $4, $5, $6, $7, (select id from adjusted), $8)
