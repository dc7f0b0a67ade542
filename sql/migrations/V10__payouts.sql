-- Payouts: what is payable is paid, each ledger row in at most one payout; adjustments by hand; exchanges from one
-- currency into another; and calls that move money once, however often they are sent.

-- Where the money goes, and where it comes from.
alter table affiliates
  add column payee_method text check (payee_method in ('paypal', 'sepa', 'other')),
  add column payee_name   text check (length(payee_name) between 1 and 200),
  add column payee_email  text check (length(payee_email) between 3 and 254),
  add column payee_iban   text check (payee_iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
  add column payee_bic    text check (payee_bic ~ '^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$');
alter table advertisers
  add column payer_name text check (length(payer_name) between 1 and 200),
  add column payer_iban text check (payer_iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
  add column payer_bic  text check (payer_bic ~ '^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$');
alter table programs
  add column payout_minimum numeric not null default 0 check (payout_minimum >= 0);  -- in the advertiser's currency

-- Answers to calls that were done, for when they are sent again. A refused call did nothing, and is not kept.
create table idempotent_calls (
  caller      text        not null,                                 -- as the audit log names him
  key         text        not null check (length(key) between 1 and 255),
  fingerprint bytea       not null check (length(fingerprint) = 32), -- SHA-256 of method, path, query and body
  status      smallint    not null,
  location    text,
  body        text        not null,
  created_at  timestamptz not null default now(),
  primary key (caller, key)
);
create index on idempotent_calls (created_at);

-- Money given or taken by hand, for a reason.
create table adjustments (
  id           bigint      primary key default new_id(),
  program_id   bigint      not null references programs,
  affiliate_id bigint      not null references affiliates,
  amount       numeric     not null check (amount <> 0),            -- below zero: taken
  currency     text        not null,
  reason       text        not null check (length(reason) between 1 and 500),
  created_at   timestamptz not null default now()
);
create index on adjustments (program_id, id);
create index on adjustments (affiliate_id, id);

-- An affiliate's payable balance of one currency, put into another.
create table exchanges (
  id            bigint      primary key default new_id(),
  program_id    bigint      not null references programs,
  affiliate_id  bigint      not null references affiliates,
  from_amount   numeric     not null check (from_amount > 0),
  from_currency text        not null,
  to_amount     numeric     not null check (to_amount > 0),
  to_currency   text        not null,
  rate          numeric     not null check (rate > 0),              -- how many of the one it goes into for one of the other
  rate_on       date        not null,
  rate_source   text        not null,
  created_at    timestamptz not null default now(),
  check (from_currency <> to_currency)
);
create index on exchanges (program_id, id);
create index on exchanges (affiliate_id, id);

-- One look at all that is payable in a program, and the payouts that it proposed.
create table payout_runs (
  id         bigint      primary key default new_id(),
  program_id bigint      not null references programs,
  until      timestamptz,                                           -- nothing that was earned at or after this is paid
  created_at timestamptz not null default now()
);
create index on payout_runs (program_id, id);

create table payouts (
  id           bigint      primary key default new_id(),
  run_id       bigint      not null references payout_runs,
  program_id   bigint      not null references programs,
  affiliate_id bigint      not null references affiliates,
  amount       numeric     not null check (amount > 0),
  currency     text        not null,
  status       text        not null default 'proposed' check (status in ('proposed', 'approved', 'paid', 'failed', 'cancelled')),
  reference    text        check (length(reference) between 1 and 200), -- of whoever paid it: a bank, PayPal
  reason       text        check (length(reason) between 1 and 500),    -- why it failed
  approved_at  timestamptz,
  paid_at      timestamptz,
  closed_at    timestamptz,                                         -- failed or cancelled
  created_at   timestamptz not null default now(),
  unique (run_id, affiliate_id, currency)
);
create index on payouts (program_id, id);
create index on payouts (affiliate_id, id);

-- The ledger rows that a payout is made of. A row is in one live payout at most: when two runs meet, the index says so.
create table payout_items (
  payout_id   bigint      not null references payouts,
  transfer_id bigint      not null references transfers,
  program_id  bigint      not null,
  amount      numeric     not null check (amount <> 0),             -- below zero: it was taken from what is payable
  released_at timestamptz,                                          -- the payout failed or was cancelled
  primary key (payout_id, transfer_id)
);
create unique index payout_items_once on payout_items (transfer_id) where released_at is null;

-- An affiliate's payable rows. Settling writes none of them.
create index transfers_payable_owner on transfers
  ((case when credit_account = 'affiliate_payable' then credit_owner else debit_owner end), id)
where debit_account = 'affiliate_payable' or credit_account = 'affiliate_payable';

-- What no live payout holds: earned, taken back, adjusted, exchanged, each row with its sign. Seen as the one who asks
-- sees it.
create function open_payable(program bigint)
returns table (transfer_id bigint, affiliate_id bigint, currency text, amount numeric, created_at timestamptz)
language sql stable as $$
  select t.id, case when t.credit_account = 'affiliate_payable' then t.credit_owner else t.debit_owner end,
         t.currency, case when t.credit_account = 'affiliate_payable' then t.amount else -t.amount end, t.created_at
  from transfers t
  where t.program_id = program
    and (t.debit_account = 'affiliate_payable' or t.credit_account = 'affiliate_payable')
    and t.code not in ('pay', 'return')
    and not exists (select from payout_items i where i.transfer_id = t.id and i.released_at is null)
$$;

-- Whether an affiliate has to do with a program: money is given to nobody else.
create function is_affiliate_of(affiliate bigint, program bigint) returns boolean language plpgsql stable as $$
begin
  return exists (select from links where affiliate_id = affiliate and program_id = program)
      or exists (select from coupons where affiliate_id = affiliate and program_id = program)
      or exists (select from shares where affiliate_id = affiliate and program_id = program)
      or exists (select from transfers
                 where (case when credit_account = 'affiliate_payable' then credit_owner else debit_owner end) = affiliate
                   and (debit_account = 'affiliate_payable' or credit_account = 'affiliate_payable')
                   and program_id = program);
end $$;

-- Rights and row security, as in V6.
grant update (payee_method, payee_name, payee_email, payee_iban, payee_bic) on affiliates to tributary_app;
grant update (payer_name, payer_iban, payer_bic) on advertisers to tributary_app;
grant update (payout_minimum) on programs to tributary_app;
grant select on adjustments, exchanges, payout_runs, payouts, payout_items to tributary_worker;
grant select, delete on idempotent_calls to tributary_worker;
grant select, insert on idempotent_calls, adjustments, exchanges, payout_runs to tributary_app;
grant select, insert, update (status, reference, reason, approved_at, paid_at, closed_at) on payouts to tributary_app;
grant select, insert, update (released_at) on payout_items to tributary_app;

create policy changed on advertisers for update to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then id = (select caller_tenant())
    else false
  end);

do $$
declare
  name text;
  own constant text := 'case (select caller_role()) when ''operator'' then true '
    'when ''advertiser'' then program_id = any ((select caller_programs())::bigint[]) else false end';
begin
  foreach name in array array[
    'idempotent_calls', 'adjustments', 'exchanges', 'payout_runs', 'payouts', 'payout_items'
  ] loop
    execute format('alter table %I enable row level security, force row level security', name);
    execute format('create policy all_tenants on %I to tributary_worker using (true) with check (true)', name);
  end loop;
  foreach name in array array['adjustments', 'exchanges', 'payout_runs', 'payouts', 'payout_items'] loop
    execute format('create policy made on %I for insert to tributary_app with check (%s)', name, own);
  end loop;
  foreach name in array array['payouts', 'payout_items'] loop
    execute format('create policy changed on %I for update to tributary_app using (%s)', name, own);
  end loop;
  execute format('create policy seen on payout_runs for select to tributary_app using (%s)', own);
  foreach name in array array['adjustments', 'exchanges', 'payouts'] loop
    execute format('create policy seen on %I for select to tributary_app using (
      case (select caller_role())
        when ''operator'' then true
        when ''advertiser'' then program_id = any ((select caller_programs())::bigint[])
        when ''affiliate'' then affiliate_id = (select caller_tenant())
        else false
      end)', name);
  end loop;
end $$;

create policy seen on payout_items for select to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then exists (select from payouts p where p.id = payout_id)
    else false
  end);

-- A caller is told what he himself was told.
create policy kept on idempotent_calls to tributary_app using (
  case (select caller_role())
    when 'operator' then caller = current_setting('tributary.actor', true)
    when 'advertiser' then caller = current_setting('tributary.actor', true)
    else false
  end);

-- The audit log tells that an account was changed, and enough of it to know which.
create or replace function audit_masked(value jsonb) returns jsonb language sql immutable as $$
  select jsonb_object_agg(key, case when value = 'null' then value
                                    when key in ('secret', 'hash', 'password_hash', 'totp_secret', 'operator_key')
                                    then '"********"'
                                    when key in ('payee_iban', 'payer_iban', 'payee_email')
                                    then to_jsonb('********' || right(value #>> '{}', 4))
                                    else value end)
  from jsonb_each(value)
$$;

do $$
declare
  name text;
begin
  foreach name in array array['adjustments', 'exchanges', 'payout_runs', 'payouts'] loop
    execute format('create trigger audit after insert or update or delete on %I for each row
      when (coalesce(current_setting(''tributary.actor'', true), '''') <> '''') execute function audit_row()', name);
  end loop;
end $$;

-- That a conversion is paid, its payout's entry says.
drop trigger audit on conversions;
create trigger audit after update of status on conversions for each row
when (new.status is distinct from old.status
      and (old.status, new.status) not in (('payable', 'paid'), ('paid', 'payable'))
      and coalesce(current_setting('tributary.actor', true), '') <> '')
execute function audit_row();
