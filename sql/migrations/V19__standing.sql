-- A person's verdict on the sale that ties a customer books that customer's renewals anew, in the same transaction.

-- Whose customers are whose: of his own programs, by the policy `seen` of V8.
grant select on customers to tributary_app;

-- How affiliates stand and who is above them, up to ten levels: what pricing looks up. An advertiser books what he owes
-- to recruiters whom he does not see yet; he is told no names, and only of those who are above affiliates he knows.
create function standing_of(asked bigint[])
returns table (id bigint, paused_ms bigint, recruited_by bigint, group_name text)
language sql stable security definer as $$
  with recursive above as (
    select a.id, a.paused_at, a.recruited_by, a.group_name, 0 as level
    from affiliates a
    where a.id = any (asked)
      and (caller_role() = 'operator' or caller_role() = 'advertiser' and caller_knows(a.id))
    union all
    select a.id, a.paused_at, a.recruited_by, a.group_name, b.level + 1
    from above b
    join affiliates a on a.id = b.recruited_by
    where b.level < 10
  )
  select distinct a.id, (extract(epoch from a.paused_at) * 1000)::bigint, a.recruited_by, a.group_name from above a
$$;
do $$
begin
  execute format('alter function standing_of(bigint[]) set search_path = %I, pg_temp', current_schema());
end $$;
revoke execute on function standing_of(bigint[]) from public;
grant execute on function standing_of(bigint[]) to tributary_app;
