-- portal.advertiser: whose room it is, and what time it is.
select name, currency, timezone, now()
from advertisers
where id = $1
