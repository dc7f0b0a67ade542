-- audit_log.select: a page, newest first. $1 advertiser who asks; $2 before, $3 limit; $4.. filters, the time half-open.
select id, at, actor, actor_role, advertiser_id, action, resource, row_id, before, after,
       case when actor ~ '^user:[0-9]+$' then (
              select u.email from users u
              where u.id = substr(actor, 6)::bigint and ($1::bigint is null or u.advertiser_id = $1)) end as actor_name
from audit_log
where ($1::bigint is null or advertiser_id = $1)
  and ($2::bigint is null or id < $2)
  and ($4::text is null or actor = $4)
  and ($5::text is null or resource = $5)
  and ($6::text is null or row_id = $6)
  and ($7::timestamptz is null or at >= $7)
  and ($8::timestamptz is null or at < $8)
order by id desc
limit $3
