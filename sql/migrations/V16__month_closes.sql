-- Months that are closed: what tiers, bonuses and caps give, an adjustment for what is not booked yet, and what has
-- changed in a month since.

alter table adjustments add column month date check (extract(day from month) = 1);  -- whose closing made it; absent: by hand
create index adjustments_month on adjustments (program_id, affiliate_id, month) where month is not null;

-- Months of a program that were closed once, for all of its affiliates; their names are their first days, and they begin
-- in the advertiser's time zone.
create table closed_months (
  program_id bigint      not null references programs,
  month      date        not null check (extract(day from month) = 1),
  closed_at  timestamptz not null default now(),
  primary key (program_id, month)
);

-- Whose month is to be closed, or closed again. A row goes with the transaction that looks at the month, so that what is
-- committed later, with a row of its own, is looked at once more. Several rows of one month are the same as one.
create table month_changes (
  program_id   bigint not null,
  affiliate_id bigint not null,
  month        date   not null
);
create index on month_changes (program_id, month, affiliate_id);

-- What a closing of an affiliate's month came to, in each currency; the last one holds.
create table month_closes (
  id            bigint      primary key default new_id(),
  program_id    bigint      not null references programs,
  affiliate_id  bigint      not null references affiliates,
  month         date        not null check (extract(day from month) = 1),
  currency      text        not null,
  number        integer     not null check (number > 0),            -- 1, 2, …; two who close at once cannot both win
  due           numeric     not null,                               -- beside the commissions; below zero where the cap cuts
  booked_before numeric     not null,                               -- by the closings before
  adjustment_id bigint      references adjustments,                 -- of the difference; absent: there is none
  lines         text[]      not null,                               -- how it came about
  closed_at     timestamptz not null default now(),
  constraint month_closes_once unique (program_id, affiliate_id, month, currency, number),
  check ((adjustment_id is null) = (due = booked_before))
);
create index on month_closes (program_id, id);
create index on month_closes (affiliate_id, id);

create function month_closes_are_final() returns trigger language plpgsql as $$
begin
  raise exception 'a closing is never changed; close the month again';
end $$;
create trigger month_closes_are_final before update or delete on month_closes for each row execute function month_closes_are_final();
create trigger month_closes_are_not_truncated before truncate on month_closes for each statement execute function month_closes_are_final();

-- Whether months of a program may be due anything beside its commissions.
create function has_months(program bigint) returns boolean language sql stable as $$
  select exists (select from plans where program_id = program and terms ?| array['tiers', 'bonuses', 'cap'])
$$;

-- Tells of changes in months that are over or were closed. Of a month that goes on nothing needs to be told: all of it
-- is looked at when it closes, long after whoever wrote it before its end has committed.
create function tell_month_changes(programs bigint[], affiliates bigint[], moments timestamptz[]) returns void language sql as $$
  insert into month_changes (program_id, affiliate_id, month)
  select distinct p.id, t.affiliate_id, m.month::date
  from unnest(programs, affiliates, moments) t (program_id, affiliate_id, at)
  join programs p on p.id = t.program_id
  join advertisers a on a.id = p.advertiser_id
  cross join lateral (select date_trunc('month', t.at at time zone a.timezone) as month) m
  where t.affiliate_id is not null
    and ((m.month + interval '1 month') at time zone a.timezone <= now()
         or exists (select from closed_months k where k.program_id = p.id and k.month = m.month::date))
$$;

-- Programs without tiers, bonuses and caps, which most are, pay for one look at their plans. That time released a
-- commission, or a payout paid it, changes nothing of a month.
create function conversions_of_months() returns trigger language plpgsql as $$
begin
  if not exists (select from (select distinct program_id from written) w where has_months(w.program_id)) then
    return null;
  end if;
  if tg_op = 'INSERT' then
    perform tell_month_changes(array_agg(w.program_id), array_agg(w.affiliate_id), array_agg(w.received_at))
    from written w where has_months(w.program_id);
    return null;
  end if;
  perform tell_month_changes(array_agg(t.program_id), array_agg(t.affiliate_id), array_agg(t.at))
  from (
    select w.id, w.program_id, o.affiliate_id as formerly, o.received_at as formerly_at, w.affiliate_id, w.received_at
    from written w
    join former o on o.id = w.id
    where has_months(w.program_id)
      and (w.affiliate_id, w.received_at, w.plan_id, w.amount, w.currency, w.refunded, w.commission, w.commission_currency,
           w.reversed, w.held, w.status in ('rejected', 'reversed'), w.facts)
          is distinct from
          (o.affiliate_id, o.received_at, o.plan_id, o.amount, o.currency, o.refunded, o.commission, o.commission_currency,
           o.reversed, o.held, o.status in ('rejected', 'reversed'), o.facts)
  ) c
  cross join lateral (
    select c.program_id, c.formerly as affiliate_id, c.formerly_at as at
    union
    select c.program_id, c.affiliate_id, c.received_at
    union
    select c.program_id, s.affiliate_id, at from shares s, unnest(array[c.formerly_at, c.received_at]) at
    where s.conversion_id = c.id
  ) t;
  return null;
end $$;

create trigger conversions_of_months_new after insert on conversions
referencing new table as written for each statement execute function conversions_of_months();
create trigger conversions_of_months_changed after update on conversions
referencing old table as former new table as written for each statement execute function conversions_of_months();

create function shares_of_months() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    perform tell_month_changes(array_agg(w.program_id), array_agg(w.affiliate_id), array_agg(c.received_at))
    from written w
    join conversions c on c.id = w.conversion_id
    where has_months(w.program_id);
    return null;
  end if;
  perform tell_month_changes(array_agg(w.program_id), array_agg(t.affiliate_id), array_agg(c.received_at))
  from written w
  join former o on o.conversion_id = w.conversion_id and o.part = w.part
  join conversions c on c.id = w.conversion_id
  cross join lateral unnest(array[o.affiliate_id, w.affiliate_id]) t (affiliate_id)
  where has_months(w.program_id)
    and (w.affiliate_id, w.kind, w.commission, w.reversed, w.currency, w.status in ('rejected', 'reversed'))
        is distinct from
        (o.affiliate_id, o.kind, o.commission, o.reversed, o.currency, o.status in ('rejected', 'reversed'));
  return null;
end $$;

create trigger shares_of_months_new after insert on shares
referencing new table as written for each statement execute function shares_of_months();
create trigger shares_of_months_changed after update on shares
referencing old table as former new table as written for each statement execute function shares_of_months();

-- Rights and row security, as in V6.
grant select, insert on closed_months, month_closes to tributary_worker;
grant select, insert, delete on month_changes to tributary_worker;
grant insert on adjustments to tributary_worker;
grant select on closed_months, month_closes to tributary_app;
grant insert on month_changes to tributary_app;

-- A statement names the month whose closing made a row of it.
grant select on adjustments to tributary_report;
alter policy seen on adjustments to tributary_app, tributary_report;

do $$
declare
  name text;
  own constant text := 'case (select caller_role()) when ''operator'' then true '
    'when ''advertiser'' then program_id = any ((select caller_programs())::bigint[]) else false end';
begin
  foreach name in array array['closed_months', 'month_changes', 'month_closes'] loop
    execute format('alter table %I enable row level security, force row level security', name);
    execute format('create policy all_tenants on %I to tributary_worker using (true) with check (true)', name);
  end loop;
  execute format('create policy seen on closed_months for select to tributary_app using (%s)', own);
  execute format('create policy made on month_changes for insert to tributary_app with check (%s)', own);
end $$;

create policy seen on month_closes for select to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then affiliate_id = (select caller_tenant())
    else false
  end);
