-- Who brought an affiliate, for what his recruiters earn; and his group, by which plans may tell him from others.

alter table affiliates
  add column recruited_by bigint references affiliates,
  add column group_name   text check (length(group_name) between 1 and 64);
create index on affiliates (recruited_by) where recruited_by is not null;

-- Nobody is above himself. Two who recruit each other at the same moment take turns: the lock is held until the
-- transaction ends, and what the first of them wrote is seen by the second.
create function affiliates_recruiters() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('tributary.recruiters', 0));
  if exists (
    with recursive above (id) as (
      select new.recruited_by
      union
      select a.recruited_by from affiliates a join above on a.id = above.id where a.recruited_by is not null
    )
    select from above where id = new.id
  ) then
    raise check_violation using constraint = 'affiliates_recruiter_cycle', message = 'an affiliate would be his own recruiter';
  end if;
  return new;
end $$;
create trigger affiliates_recruiters before insert or update of recruited_by on affiliates
for each row when (new.recruited_by is not null) execute function affiliates_recruiters();

grant update (recruited_by, group_name) on affiliates to tributary_app;
