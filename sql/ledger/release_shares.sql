-- ledger.release_shares: what others have of conversions that become payable goes with them.
update shares set status = 'payable'
where conversion_id = any($1) and status = 'pending'
returning conversion_id as id, program_id, part, affiliate_id, commission - reversed as commission,
          currency as commission_currency
