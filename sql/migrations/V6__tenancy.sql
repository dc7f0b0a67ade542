-- Row-level security: PostgreSQL itself keeps tenants apart, beside the filter in every statement.
--
-- Three roles, none of which owns a table, is a superuser or passes row security by:
--   tributary_worker  edge, worker, audit, replay: all tenants, by policies that are plainly true and so cost nothing
--   tributary_app     admin API and portal: what the caller may see and change
--   tributary_report  reports and statistics: what the caller may see
-- Who the caller is, is said for each transaction: tributary.role and tributary.tenant. Unsaid, nothing is seen.

-- Roles belong to the whole cluster, so another database may have made them, or make them at this moment.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['tributary_worker', 'tributary_app', 'tributary_report'] loop
    begin
      if not exists (select from pg_roles where rolname = wanted) then
        execute format('create role %I nologin nosuperuser nobypassrls nocreatedb nocreaterole noreplication', wanted);
      end if;
    exception when duplicate_object or unique_violation then null;
    end;
    begin
      if not (select rolsuper from pg_roles where rolname = current_user) then
        execute format('grant %I to %I', wanted, current_user);
      end if;
    exception
      when unique_violation or internal_error then null;  -- Granted by another database at this moment.
      when insufficient_privilege then
        if not pg_has_role(current_user, wanted, 'member') then raise; end if;
    end;
  end loop;
exception when insufficient_privilege then
  raise insufficient_privilege using message = format(
    'the login %I may not create roles; have an administrator run this, then migrate again: '
    'create role tributary_worker; create role tributary_app; create role tributary_report; '
    'grant tributary_worker, tributary_app, tributary_report to %I', current_user, current_user);
end $$;

-- Who asks. Settings that were set in an earlier transaction of the same session are empty now.
create function caller_role() returns text language sql stable parallel safe as $$
  select nullif(current_setting('tributary.role', true), '')
$$;

create function caller_tenant() returns bigint language sql stable parallel safe as $$
  select nullif(current_setting('tributary.tenant', true), '')::bigint
$$;

-- The programs that he has to do with. A function in a language that is never inlined: policies of programs, links
-- and coupons need one another's rows, which as subqueries PostgreSQL takes for a recursion without end. It runs
-- with the rights of the one who asks, under the same policies.
create function caller_programs() returns bigint[] language plpgsql stable parallel safe as $$
begin
  return case caller_role()
    when 'advertiser' then array(select id from programs where advertiser_id = caller_tenant())
    when 'affiliate' then array(select program_id from links where affiliate_id = caller_tenant()
                                union
                                select program_id from coupons where affiliate_id = caller_tenant())
  end;
end $$;

-- Whether an affiliate has a link or a coupon in a program of the advertiser who asks: what policies of links and
-- coupons ask of these very tables.
create function caller_knows(affiliate bigint) returns boolean language plpgsql stable parallel safe as $$
declare
  own bigint[] := caller_programs();
begin
  return exists (select from links where affiliate_id = affiliate and program_id = any(own))
      or exists (select from coupons where affiliate_id = affiliate and program_id = any(own));
end $$;

do $$
declare
  name text;
begin
  execute format('grant usage on schema %I to tributary_worker, tributary_app, tributary_report', current_schema());
  foreach name in array array[
    'advertisers', 'affiliates', 'programs', 'plans', 'links', 'tracking_codes', 'coupons', 'api_keys', 'sessions',
    'catalog_state', 'edges', 'frames', 'hits', 'losses', 'dead_letters', 'clicks', 'conversions', 'transfers',
    'replays', 'replayed_hits', 'replayed_conversions'
  ] loop
    execute format('alter table %I enable row level security, force row level security', name);
    -- The owner is a member of this role, unless a superuser, so that migrations see the rows.
    execute format('create policy all_tenants on %I to tributary_worker using (true) with check (true)', name);
  end loop;
end $$;

-- Rights: exactly what the statements do. Nobody deletes but what is listed, or changes what is in the books.
grant select on refinery_schema_history to tributary_worker, tributary_app, tributary_report;
grant usage on sequence id_counter to tributary_worker, tributary_app;

grant select on advertisers, affiliates, programs, plans, links, tracking_codes, coupons, catalog_state to tributary_worker;
grant select, insert, update on edges to tributary_worker;
grant select, insert, delete on frames, clicks to tributary_worker;
grant select, insert on losses, dead_letters, transfers, replays, replayed_hits, replayed_conversions to tributary_worker;
grant select, insert, update (id, received_at, kind, code, program_id, affiliate_id, outcome, reasons, conversion_id)
  on hits to tributary_worker;
grant select, insert,
  update (order_id, revision, amount, currency, affiliate_id, link_id, click_id, attributed_by, plan_id, commission,
          commission_currency, status, held, hold_until, verified, received_at, reasons, facts, updated_at)
  on conversions to tributary_worker;

grant select, insert on advertisers, plans, transfers to tributary_app;
grant select, insert, update (name, email, paused_at) on affiliates to tributary_app;
grant select, insert,
  update (name, landing_url, allowed_hosts, click_param, attribution, window_days, hold_days, unsigned, coupons,
          consent, paused_at)
  on programs to tributary_app;
grant select, insert, update (destination, paused_at) on links to tributary_app;
grant select, insert, update (name, redirect_url, return_method) on tracking_codes to tributary_app;
grant select, insert, update (valid_from, valid_to) on coupons to tributary_app;
grant select, insert, update (revoked_at) on api_keys to tributary_app;
grant select, insert, delete on sessions to tributary_app;
grant select, update (version) on catalog_state to tributary_app;  -- by the trigger of every change of the catalog
grant select on hits, dead_letters, replayed_hits to tributary_app;
grant select (id, applied_at) on replays to tributary_app;  -- when, but neither what was asked for nor by whom
grant select, update (status, held, rejection, reasons, facts, revision, updated_at) on conversions to tributary_app;

grant select on advertisers, affiliates, programs, links, coupons, clicks, conversions, transfers to tributary_report;

-- What is seen. The case keeps the order, and whoever is none of these sees nothing; each (select …) is asked once a
-- statement, not once a row. The filters of the statements, not these policies, are what indexes serve.
create policy seen on advertisers for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then id = (select caller_tenant())
    when 'affiliate' then id in (select advertiser_id from programs)
    else false
  end);

create policy seen on affiliates for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then exists (select from links l where l.affiliate_id = affiliates.id)
                        or exists (select from coupons c where c.affiliate_id = affiliates.id)
    when 'affiliate' then id = (select caller_tenant())
    else false
  end);

create policy seen on programs for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    when 'affiliate' then id = any ((select caller_programs())::bigint[])
    else false
  end);

create policy seen on plans for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then program_id = any ((select caller_programs())::bigint[])
    else false
  end);

create policy seen on links for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then affiliate_id = (select caller_tenant())
    else false
  end);

create policy seen on coupons for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then affiliate_id = (select caller_tenant())
    else false
  end);

create policy seen on tracking_codes for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    else false
  end);

create policy seen on conversions for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then affiliate_id = (select caller_tenant())
    else false
  end);

create policy seen on clicks for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then affiliate_id = (select caller_tenant())
    else false
  end);

-- An affiliate is told which hits made his conversions. What an unknown code brought is the operator's alone.
create policy seen on hits for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then exists (select from conversions c where c.id = conversion_id)
    else false
  end);

create policy seen on dead_letters for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then exists (select from hits h where h.id = hit_id)
    else false
  end);

create policy seen on replayed_hits for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then exists (select from hits h where h.id = hit_id)
    else false
  end);

create policy seen on replays for select to tributary_app, tributary_report using (
  (select caller_role()) in ('operator', 'advertiser'));

-- A conversion may have been another affiliate's before; he sees the transfers of his own accounts.
create policy seen on transfers for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then exists (select from conversions c where c.id = conversion_id)
    when 'affiliate' then debit_account <> 'advertiser' and debit_owner = (select caller_tenant())
                       or credit_account <> 'advertiser' and credit_owner = (select caller_tenant())
    else false
  end);

create policy seen on catalog_state for select to tributary_app, tributary_report using (
  (select caller_role()) in ('operator', 'advertiser'));

-- The doorkeeper finds out whose a key or session is, before there is anybody to act for.
create policy seen on api_keys for select to tributary_app, tributary_report using (
  (select caller_role()) in ('operator', 'doorkeeper'));
create policy kept on sessions to tributary_app using ((select caller_role()) = 'doorkeeper');

-- What is written: by the operator, and by an advertiser in his own programs. An affiliate only reads.
create policy made on advertisers for insert to tributary_app with check ((select caller_role()) = 'operator');
create policy made on affiliates for insert to tributary_app with check ((select caller_role()) = 'operator');
create policy changed on affiliates for update to tributary_app using ((select caller_role()) = 'operator');
create policy made on programs for insert to tributary_app with check ((select caller_role()) = 'operator');
create policy made on api_keys for insert to tributary_app with check ((select caller_role()) = 'operator');
create policy changed on api_keys for update to tributary_app using ((select caller_role()) = 'operator');
create policy changed on catalog_state for update to tributary_app using (
  (select caller_role()) in ('operator', 'advertiser'));

create policy changed on programs for update to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);

-- For an affiliate whom he knows already: else he would learn the name of anyone whose id he guesses.
create policy made on links for insert to tributary_app with check (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[]) and caller_knows(affiliate_id)
    else false
  end);
create policy made on coupons for insert to tributary_app with check (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[]) and caller_knows(affiliate_id)
    else false
  end);
create policy made on transfers for insert to tributary_app with check (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then exists (select from conversions c where c.id = conversion_id)
    else false
  end);

do $$
declare
  statement text;
  own constant text := 'case (select caller_role()) when ''operator'' then true '
    'when ''advertiser'' then program_id = any ((select caller_programs())::bigint[]) else false end';
begin
  foreach statement in array array[
    'create policy made on plans for insert to tributary_app with check (%s)',
    'create policy made on tracking_codes for insert to tributary_app with check (%s)',
    'create policy changed on links for update to tributary_app using (%s)',
    'create policy changed on coupons for update to tributary_app using (%s)',
    'create policy changed on tracking_codes for update to tributary_app using (%s)',
    'create policy changed on conversions for update to tributary_app using (%s)'
  ] loop
    execute format(statement, own);
  end loop;
end $$;
