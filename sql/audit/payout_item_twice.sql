-- audit.payout_item_twice: a ledger row is in one live payout at most; and each item is a row of the payout's own
-- program, affiliate and currency, with its sign, that touches what is payable. From the id $1 on, of a payout.
select i.transfer_id
from payout_items i
join payouts o on o.id = i.payout_id
left join transfers t on t.id = i.transfer_id
where i.payout_id >= $1
  and (   t.id is null or t.code in ('pay', 'return')
       or (t.program_id, t.program_id, t.currency) is distinct from (o.program_id, i.program_id, o.currency)
       or case when t.credit_account = 'affiliate_payable' then (t.credit_owner, t.amount) <> (o.affiliate_id, i.amount)
               when t.debit_account = 'affiliate_payable' then (t.debit_owner, -t.amount) <> (o.affiliate_id, i.amount)
               else true end
       or i.released_at is null and exists (
            select from payout_items other
            where other.transfer_id = i.transfer_id and other.released_at is null and other.payout_id <> i.payout_id))
