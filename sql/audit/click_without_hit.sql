-- audit.click_without_hit: every click that counts is a kept hit, and every counted hit a click. From the id $1 on.
select coalesce(k.id, h.id)
from (select id from clicks where id >= $1) k
full join (select id from hits where outcome = 'clicked' and id >= $1) h on h.id = k.id
where k.id is null or h.id is null
