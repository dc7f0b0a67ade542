-- ties.lock: customers ($1, as texts), one transaction at a time, so that a sale that ties a customer and his renewal
-- see each other whoever settles them. In the order of the locks, so that two workers cannot deadlock.
select pg_advisory_xact_lock(key)
from (select distinct hashtextextended(customer, 0) as key from unnest($1::text[]) c (customer) order by 1) k
