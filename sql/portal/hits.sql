-- portal.hits: what an advertiser's shops sent before $2, newest first; one more than a page shows.
select h.id, h.received_at, p.name, h.kind, h.code, h.outcome, h.reasons, h.conversion_id, h.raw
from programs p
cross join lateral (
  select *
  from hits
  where program_id = p.id and kind <> 'click' and id < $2
  order by id desc
  limit 51
) h
where p.advertiser_id = $1
order by h.id desc
limit 51
