-- hits.formerly: what a hit was before replays changed it, for one that the one who asks was already shown.
select r.applied_at, f.outcome, f.reasons
from replayed_hits f
join replays r on r.id = f.replay_id
where f.hit_id = $1
order by r.id
