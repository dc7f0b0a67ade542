-- audit.click_without_hit: every click that counts is a kept hit, and every counted hit a click.
select coalesce(k.id, h.id)
from clicks k
full join (select id from hits where outcome = 'clicked') h on h.id = k.id
where k.id is null or h.id is null
