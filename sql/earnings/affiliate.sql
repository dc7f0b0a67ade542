-- earnings.affiliate: whose room it is.
select name, paused_at is not null
from affiliates
where id = $1
