-- plans.lock: two new versions of one program's plan take turns. $2 the advertiser who asks, null for the operator.
select id from programs where id = $1 and ($2::bigint is null or advertiser_id = $2) for update
