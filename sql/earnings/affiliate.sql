-- earnings.affiliate: whose room it is, and what time it is.
select name, paused_at is not null, now()
from affiliates
where id = $1
