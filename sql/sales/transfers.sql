-- sales.transfers: the ledger rows of one of an advertiser's conversions, in the order they were written, each with the
-- affiliate whose account is on a side of it.
select t.code, t.debit_account, debtor.name as debtor, t.credit_account, creditor.name as creditor, t.amount, t.currency,
       t.event_at
from transfers t
join conversions c on c.id = t.conversion_id
join programs p on p.id = c.program_id
left join affiliates debtor on debtor.id = t.debit_owner and t.debit_account like 'affiliate%'
left join affiliates creditor on creditor.id = t.credit_owner and t.credit_account like 'affiliate%'
where p.advertiser_id = $1 and c.id = $2
order by t.created_at, t.id
limit 200
