-- exchanges.balance: what an affiliate has in a program and a currency that no payout holds.
select coalesce(sum(o.amount), 0) as amount from open_payable($1) o where o.affiliate_id = $2 and o.currency = $3
