-- payouts.file: the approved payouts of a run, with who is paid and who pays. $1 advertiser: who asks; $2 the run; $3 only
-- those that are paid by this method, as they were approved.
select r.id as run_id, a.name as advertiser, a.payer_name, a.payer_iban, a.payer_bic, now() as at,
       (now() at time zone a.timezone)::date as today, o.id, o.affiliate_id, o.amount, o.currency,
       o.affiliate, o.payee_method, o.payee_name, o.payee_email, o.payee_iban, o.payee_bic
from payout_runs r
join programs p on p.id = r.program_id
join advertisers a on a.id = p.advertiser_id
left join lateral (
  select o.id, o.affiliate_id, o.amount, o.currency, f.name as affiliate, f.payee_name, f.payee_email, f.payee_iban,
         f.payee_bic, nullif(coalesce(o.method, f.payee_method), 'none') as payee_method
  from payouts o
  left join affiliates f on f.id = o.affiliate_id
  where o.run_id = r.id and o.status = 'approved'
) o on $3::text is null or o.payee_method = $3
where r.id = $2 and ($1::bigint is null or p.advertiser_id = $1)
order by o.id
