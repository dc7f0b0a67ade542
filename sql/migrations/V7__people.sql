-- People and keys: who may sign in, with which rights, and a log of every change with who made it.

-- Rights: read, catalog (programs, plans, links, codes, coupons), money (verdicts, payouts), people (users,
-- invitations, keys, the audit log). An affiliate only reads.
create function are_rights(scopes text[], role text) returns boolean language sql immutable as $$
  select scopes <@ array['read', 'catalog', 'money', 'people'] and 'read' = any (scopes)
     and (role <> 'affiliate' or scopes = array['read'])
$$;

create table users (
  id            bigint      primary key default new_id(),
  email         text        not null check (length(email) between 3 and 254),
  name          text        not null check (length(name) between 1 and 200),
  role          text        not null check (role in ('operator', 'advertiser', 'affiliate')),
  advertiser_id bigint      references advertisers,
  affiliate_id  bigint      references affiliates,
  scopes        text[]      not null,
  password_hash text        not null,                               -- argon2id, with its parameters and salt
  totp_secret   bytea       check (length(totp_secret) = 20),       -- readable, for codes are computed from it; absent: no second step
  totp_step     bigint      not null default 0,                     -- of the last code taken: each counts once
  disabled_at   timestamptz,
  created_at    timestamptz not null default now(),
  check ((role = 'advertiser') = (advertiser_id is not null)),
  check ((role = 'affiliate') = (affiliate_id is not null)),
  constraint users_scopes check (are_rights(scopes, role))
);
create unique index users_email on users (lower(email));
create index on users (advertiser_id);

-- For who lost the device that makes the codes: 80 random bits each, good once; only their SHA-256 is here.
create table recovery_codes (
  user_id bigint not null references users,
  hash    bytea  not null check (length(hash) = 32),
  primary key (user_id, hash)
);

-- A link for one person to choose a password by: a new user's, or a user's who forgot his. Only the SHA-256
-- of what is in the link is here.
create table invitations (
  id            bigint      primary key default new_id(),
  hash          bytea       not null unique check (length(hash) = 32),
  user_id       bigint      references users,                       -- who forgot his password; absent for somebody new
  email         text        not null check (length(email) between 3 and 254),
  role          text        not null check (role in ('operator', 'advertiser', 'affiliate')),
  advertiser_id bigint      references advertisers,
  affiliate_id  bigint      references affiliates,
  scopes        text[]      not null,
  made_by       text        not null,                               -- as in audit_log.actor: with him they go
  operator_key  bytea,                                              -- SHA-256 of the first key, where that made it: with it they go
  expires_at    timestamptz not null default now() + interval '7 days',
  used_at       timestamptz,
  created_at    timestamptz not null default now(),
  check ((role = 'advertiser') = (advertiser_id is not null)),
  check ((role = 'affiliate') = (affiliate_id is not null)),
  constraint invitations_scopes check (are_rights(scopes, role))
);
create index on invitations (advertiser_id);
create index on invitations (user_id);

-- Keys: rights, an end, and when they were used last (to the minute). A successor is good beside the key that
-- it follows, until that one ends.
alter table api_keys
  add column scopes       text[],
  add column expires_at   timestamptz,
  add column last_used_at timestamptz,
  add column follows      bigint references api_keys;
-- Before, only the operator made keys.
update api_keys set scopes = case role when 'operator' then array['read', 'catalog', 'money', 'people']
                                       when 'advertiser' then array['read', 'catalog', 'money']
                                       else array['read'] end;
create unique index api_keys_follows on api_keys (follows);
create index on api_keys (advertiser_id);

-- The version before knows no rights: its keys may what they could there.
create function rights_of_role() returns trigger language plpgsql as $$
begin
  new.scopes := coalesce(new.scopes, case new.role when 'operator' then array['read', 'catalog', 'money', 'people']
                                                   when 'advertiser' then array['read', 'catalog', 'money']
                                                   else array['read'] end);
  return new;
end $$;
create trigger rights_of_role before insert on api_keys for each row execute function rights_of_role();
alter table api_keys
  alter column scopes set not null,
  add constraint api_keys_scopes check (are_rights(scopes, role));

-- Whether a link opens something still: it is open, the one who made it could make it now, and a user who forgot
-- his password got no rights since that it was not checked for. $2 is the SHA-256 of the operator's first key.
create function invitation_is_good(i invitations, first_key bytea) returns boolean language sql stable as $$
  select i.used_at is null and i.expires_at > now()
     and case split_part(i.made_by, ':', 1)
           when 'first-key' then i.operator_key = first_key
           when 'user' then exists (
             select from users m
             where m.id = split_part(i.made_by, ':', 2)::bigint and m.disabled_at is null
               and m.scopes @> (i.scopes || array['people']))
           when 'key' then exists (
             select from api_keys m
             where m.id = split_part(i.made_by, ':', 2)::bigint and m.revoked_at is null
               and (m.expires_at is null or m.expires_at > now()) and m.scopes @> (i.scopes || array['people']))
           else false
         end
     and (i.user_id is null or exists (
            select from users u where u.id = i.user_id and u.disabled_at is null and i.scopes @> u.scopes))
$$;

-- Sessions of users, beside those begun with a key. One that waits for its second step opens nothing yet.
alter table sessions
  drop constraint sessions_check,
  add column id      bigint      not null default new_id(),
  add column user_id bigint      references users,
  add column waits   boolean     not null default false,
  add column seen_at timestamptz not null default now(),            -- to the minute; idle for half an hour is over
  add column agent   text        not null default '',               -- what the browser calls itself, for its owner's list
  add constraint sessions_of_one check (num_nonnulls(api_key_id, operator_key, user_id) = 1);
create index on sessions (user_id);
create index on sessions (expires_at);

-- Browsers that somebody signed in with before: who hammers at his e-mail does not lock these out.
create table known_devices (
  hash    bytea       not null check (length(hash) = 32),           -- SHA-256 of the cookie's 256 random bits
  user_id bigint      not null references users,
  seen_at timestamptz not null default now(),
  primary key (hash, user_id)
);
create index on known_devices (seen_at);

-- Failed attempts to sign in, by e-mail, by address, or by known device. From some on, each makes the next wait.
create table sign_in_budgets (
  bucket   text        primary key,                                 -- what is counted, and a digest of whose
  failures integer     not null,
  until    timestamptz not null,                                    -- no attempt before then
  seen_at  timestamptz not null default now()
);
create index on sign_in_budgets (seen_at);

-- Every change of the catalog, of people and of keys, every verdict of a person, and who signs in and out.
create table audit_log (
  id            bigint      primary key default new_id(),
  at            timestamptz not null default now(),
  actor         text        not null,                               -- user:ID, key:ID, first-key, invitation:ID, database:NAME, nobody
  actor_role    text,                                               -- what the actor was let in as
  advertiser_id bigint,                                             -- in whose affairs; absent: in the operator's alone
  action        text        not null,                               -- create, update, delete, sign_in, …
  resource      text        not null,                               -- the table
  row_id        text        not null,
  before        jsonb,                                              -- of an update only what changed; secrets are masked
  after         jsonb
);
create index on audit_log (advertiser_id, id);
create index on audit_log (resource, row_id, id);
create index on audit_log (actor, id);

create function audit_log_is_final() returns trigger language plpgsql as $$
begin
  raise exception 'the audit log is only added to';
end $$;
create trigger audit_log_is_final before update or delete on audit_log for each row execute function audit_log_is_final();
create trigger audit_log_is_not_truncated before truncate on audit_log for each statement execute function audit_log_is_final();

-- Who is at work: what the process says that speaks for him, or else the database's own user.
create function audit_actor() returns text language sql stable as $$
  select coalesce(nullif(current_setting('tributary.actor', true), ''), 'database:' || session_user)
$$;

create function audit_masked(value jsonb) returns jsonb language sql immutable as $$
  select jsonb_object_agg(key, case when key in ('secret', 'hash', 'password_hash', 'totp_secret', 'operator_key')
                                     and value <> 'null' then '"********"' else value end)
  from jsonb_each(value)
$$;

-- In whose affairs a row is: an advertiser's own, or by its program.
create function audit_tenant(resource text, value jsonb) returns bigint language plpgsql stable as $$
begin
  if resource = 'advertisers' then
    return (value ->> 'id')::bigint;
  elsif value ? 'program_id' then
    return (select p.advertiser_id from programs p where p.id = (value ->> 'program_id')::bigint);
  else
    return (value ->> 'advertiser_id')::bigint;
  end if;
end $$;

-- With the rights of whoever owns the log, so that a change leaves its entry whatever the one who makes it may.
create function audit_row() returns trigger language plpgsql security definer as $$
declare
  was jsonb := case when tg_op <> 'INSERT' then audit_masked(to_jsonb(old)) end;
  now_is jsonb := case when tg_op <> 'DELETE' then audit_masked(to_jsonb(new)) end;
  whole jsonb := coalesce(now_is, was);
begin
  if tg_op = 'UPDATE' then
    -- By the rows themselves: a masked column changes though its mask does not.
    select jsonb_object_agg(o.key, was -> o.key), jsonb_object_agg(o.key, now_is -> o.key) into was, now_is
    from jsonb_each(to_jsonb(old)) o
    where o.value is distinct from to_jsonb(new) -> o.key
      and o.key not in ('last_used_at', 'totp_step', 'revision', 'updated_at', 'facts', 'reasons');
    if was is null then
      return null;
    end if;
  end if;
  insert into audit_log (actor, actor_role, advertiser_id, action, resource, row_id, before, after)
  values (audit_actor(), nullif(nullif(current_setting('tributary.role', true), ''), 'doorkeeper'), audit_tenant(tg_table_name, whole),
          case tg_op when 'INSERT' then 'create' when 'UPDATE' then 'update' else 'delete' end,
          tg_table_name, whole ->> 'id', was, now_is);
  return null;
end $$;
-- Temporary tables last: unsaid, they come first, and anybody could put one of his in the log's place.
do $$
begin
  execute format('alter function audit_row() set search_path = %I, pg_temp', current_schema());
end $$;

create trigger audit after insert or update or delete on advertisers    for each row execute function audit_row();
create trigger audit after insert or update or delete on affiliates     for each row execute function audit_row();
create trigger audit after insert or update or delete on programs       for each row execute function audit_row();
create trigger audit after insert or update or delete on plans          for each row execute function audit_row();
create trigger audit after insert or update or delete on links          for each row execute function audit_row();
create trigger audit after insert or update or delete on tracking_codes for each row execute function audit_row();
create trigger audit after insert or update or delete on coupons        for each row execute function audit_row();
create trigger audit after insert or update or delete on api_keys       for each row execute function audit_row();
create trigger audit after insert or update or delete on users          for each row execute function audit_row();
create trigger audit after insert or update on invitations              for each row execute function audit_row();
-- That one was swept which is long over, is nobody's doing.
create trigger audit_taken_back after delete on invitations             for each row when (old.expires_at > now() - interval '30 days') execute function audit_row();

-- Of conversions only what a person decided: settling says nobody's name, and pays only for this question.
create trigger audit after update of status on conversions for each row
when (new.status is distinct from old.status and coalesce(current_setting('tributary.actor', true), '') <> '')
execute function audit_row();

-- Row security, as in V6: the owner's own work, then what the statements do.
do $$
declare
  name text;
begin
  foreach name in array array[
    'users', 'recovery_codes', 'invitations', 'known_devices', 'sign_in_budgets', 'audit_log'
  ] loop
    execute format('alter table %I enable row level security, force row level security', name);
    execute format('create policy all_tenants on %I to tributary_worker using (true) with check (true)', name);
  end loop;
end $$;

-- The worker's housekeeping.
grant select, delete on sessions, known_devices, sign_in_budgets, invitations to tributary_worker;

grant select, insert, update (email, scopes, disabled_at, totp_secret, totp_step, password_hash) on users to tributary_app;
grant select, insert, delete on recovery_codes to tributary_app;
grant select, insert, update (used_at), delete on invitations to tributary_app;
grant select, insert, update (seen_at), delete on known_devices to tributary_app;
grant select, insert, update (failures, until, seen_at) on sign_in_budgets to tributary_app;
grant select, insert on audit_log to tributary_app;
grant update (seen_at) on sessions to tributary_app;
grant update (expires_at, last_used_at) on api_keys to tributary_app;

-- The doorkeeper lets people in, and does for them what is only their own.
create policy seen on users for select to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'doorkeeper' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);
create policy made on users for insert to tributary_app with check ((select caller_role()) = 'doorkeeper');
create policy changed on users for update to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'doorkeeper' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);

create policy kept on recovery_codes to tributary_app using ((select caller_role()) = 'doorkeeper');
create policy kept on sign_in_budgets to tributary_app using ((select caller_role()) = 'doorkeeper');
create policy kept on known_devices to tributary_app using ((select caller_role()) = 'doorkeeper');

-- Whoever disables a user ends his sessions.
create policy ended on sessions for delete to tributary_app using (
  (select caller_role()) in ('operator', 'advertiser') and user_id in (select id from users));
create policy ended on known_devices for delete to tributary_app using (
  (select caller_role()) in ('operator', 'advertiser') and user_id in (select id from users));
create policy found on sessions for select to tributary_app using (
  (select caller_role()) in ('operator', 'advertiser') and user_id in (select id from users));
create policy found on known_devices for select to tributary_app using (
  (select caller_role()) in ('operator', 'advertiser') and user_id in (select id from users));

create policy kept on invitations to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'doorkeeper' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);

-- Entries of changes come by the triggers; who signs in or out, the doorkeeper tells.
create policy seen on audit_log for select to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);
create policy told on audit_log for insert to tributary_app with check ((select caller_role()) = 'doorkeeper');

-- An advertiser manages the keys of his own.
drop policy seen on api_keys;
drop policy made on api_keys;
drop policy changed on api_keys;
create policy seen on api_keys for select to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'doorkeeper' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);
create policy made on api_keys for insert to tributary_app with check (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);
create policy changed on api_keys for update to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'doorkeeper' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);
