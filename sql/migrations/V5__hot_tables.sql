-- Every hit pays for what the tables do that it is written to. What is asked of each row one by one is asked
-- once a statement, of all rows together; indexes that another serves for are gone.

-- An order id is found by the key that makes orders unique, which holds it.
drop index conversions_order_id;

-- Ids ascend, so an index that descends is always written at its inner edge, and its pages stay half empty.
-- Read backwards an ascending one serves the same.
drop index hits_program;
drop index hits_shop;
create index hits_program on hits (program_id, id);
create index hits_shop on hits (program_id, id) where kind <> 'click';  -- what a shop sent, without the many clicks

-- A foreign key looks each row up by a query of its own, which took a third of a settlement. The same is
-- promised by two halves: what is referred to is there when the row is written, and never goes.
alter table conversions drop constraint conversions_program_id_fkey,
                        drop constraint conversions_affiliate_id_fkey,
                        drop constraint conversions_plan_id_fkey;
alter table transfers drop constraint transfers_conversion_id_fkey;

create function conversions_refer() returns trigger language plpgsql as $$
begin
  if exists (select from (select distinct program_id as id from written) w
             where not exists (select from programs p where p.id = w.id)) then
    raise foreign_key_violation using constraint = 'conversions_program', message = 'a conversion of a program that is not there';
  end if;
  if exists (select from (select distinct affiliate_id as id from written) w
             where w.id is not null and not exists (select from affiliates a where a.id = w.id)) then
    raise foreign_key_violation using constraint = 'conversions_affiliate', message = 'a conversion of an affiliate who is not there';
  end if;
  if exists (select from (select distinct plan_id as id from written) w
             where w.id is not null and not exists (select from plans p where p.id = w.id)) then
    raise foreign_key_violation using constraint = 'conversions_plan', message = 'a conversion by a plan that is not there';
  end if;
  return null;
end $$;

create trigger conversions_refer_new after insert on conversions
referencing new table as written for each statement execute function conversions_refer();
create trigger conversions_refer_changed after update on conversions
referencing new table as written for each statement execute function conversions_refer();

-- By a subquery, so that each is found by its key however many conversions there are.
create function transfers_refer() returns trigger language plpgsql as $$
begin
  if exists (select from written w where (select c.id from conversions c where c.id = w.conversion_id) is null) then
    raise foreign_key_violation using constraint = 'transfers_conversion', message = 'a transfer of a conversion that is not there';
  end if;
  return null;
end $$;

create trigger transfers_refer after insert on transfers
referencing new table as written for each statement execute function transfers_refer();

create function referred_to_for_ever() returns trigger language plpgsql as $$
begin
  raise exception 'what the books refer to is never deleted, nor is its id changed';
end $$;

create trigger programs_stay before delete or update of id or truncate on programs for each statement execute function referred_to_for_ever();
create trigger affiliates_stay before delete or update of id or truncate on affiliates for each statement execute function referred_to_for_ever();
create trigger plans_stay before delete or update of id or truncate on plans for each statement execute function referred_to_for_ever();
create trigger conversions_stay before delete or update of id or truncate on conversions for each statement execute function referred_to_for_ever();
