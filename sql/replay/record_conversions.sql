-- replay.record_conversions: conversions as they are before they are changed; those that are new have no row yet.
insert into replayed_conversions (conversion_id, replay_id, revision, amount, currency, affiliate_id, plan_id, commission,
                                  commission_currency, status, held, hold_until, verified, reasons, facts)
select id, $1, revision, amount, currency, affiliate_id, plan_id, commission, commission_currency, status, held,
       hold_until, verified, reasons, facts
from conversions
where id = any ($2::bigint[])
