-- portal.tenants: everybody who has a room, for the operator to choose from.
select true as sells, id, name from advertisers
union all
select false, id, name from affiliates
order by sells desc, name, id
limit 1000
