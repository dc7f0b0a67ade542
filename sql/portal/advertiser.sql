-- portal.advertiser: whose room it is.
select name, currency, timezone
from advertisers
where id = $1
