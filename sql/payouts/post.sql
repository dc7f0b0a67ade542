-- payouts.post: the one transfer of each payout: `pay` as it is paid, `return` as it comes back. A second of either is
-- refused by the key of transfers.
insert into transfers (program_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount,
                       currency, event_at)
select program_id, $2, id,
       case $2 when 'pay' then 'affiliate_payable' else 'affiliate_paid' end, affiliate_id,
       case $2 when 'pay' then 'affiliate_paid' else 'affiliate_payable' end, affiliate_id,
       amount, currency, now()
from payouts
where id = any($1)
order by id
