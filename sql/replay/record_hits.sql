-- replay.record_hits: the fates of hits as they are before they are changed; $2 their ids, $3 from then on.
insert into replayed_hits (hit_id, replay_id, former_id, program_id, affiliate_id, outcome, reasons, conversion_id)
select c.id, $1, h.id, h.program_id, h.affiliate_id, h.outcome, h.reasons, h.conversion_id
from unnest($2::bigint[], $3::bigint[]) c (former_id, id)
join hits h on h.id = c.former_id
