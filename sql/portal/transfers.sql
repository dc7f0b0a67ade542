-- portal.transfers: the ledger rows of one of an advertiser's conversions, in the order they were written.
select t.code, t.debit_account, t.credit_account, t.amount, t.currency, t.event_at
from transfers t
join conversions c on c.id = t.conversion_id
join programs p on p.id = c.program_id
where p.advertiser_id = $1 and c.id = $2
order by t.created_at, t.id
limit 100
