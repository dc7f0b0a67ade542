-- Money: commissions in several parts, and what takes them back.
--
-- Beside those of V3, money moves so. Each moves the whole of one share of one conversion, or a part of it:
--   reverse  affiliate_pending|affiliate_payable -> advertiser   (refunds, chargebacks that were lost; cumulative)
--   restore  advertiser -> affiliate_pending|affiliate_payable   (what was reversed and turned out not to be)
--   hold     affiliate_payable -> affiliate_pending              (a chargeback is open: nothing of it is paid meanwhile)
-- After a payout too: payable may fall below zero, a debt that later commissions pay. And of no conversion:
--   adjust   advertiser <-> affiliate_payable                    (by hand with a reason, or when a month closes)
--   pay      affiliate_payable -> affiliate_paid                 (a payout)
--   return   affiliate_paid -> affiliate_payable                 (a payout that failed after all)
--   exchange affiliate_payable -> exchange, exchange -> affiliate_payable   (two rows: out of one currency, into another)

alter table transfers
  alter column conversion_id drop not null,
  add column program_id  bigint,                                    -- whose books; always there (see below)
  add column part        smallint not null default 0,               -- the share of the conversion; 0 is its affiliate's own
  add column rate        numeric check (rate > 0),                  -- where a currency was exchanged: how many of this one
  add column rate_on     date,                                      --   for one of the other, the day it was quoted for,
  add column rate_source text,                                      --   and who quoted it
  add constraint transfers_rated check (num_nonnulls(rate, rate_on, rate_source) in (0, 3)),
  drop constraint transfers_once,
  add constraint transfers_once unique nulls not distinct (conversion_id, code, cause_id, part),
  drop constraint transfers_code_check,
  add constraint transfers_code_check check (code in (
    'accrue', 'approve', 'reject', 'supersede', 'reverse', 'restore', 'hold', 'adjust', 'pay', 'return', 'exchange')),
  drop constraint transfers_debit_account_check,
  add constraint transfers_debit_account_check check (debit_account in (
    'advertiser', 'affiliate_pending', 'affiliate_payable', 'affiliate_paid', 'exchange')),
  drop constraint transfers_credit_account_check,
  add constraint transfers_credit_account_check check (credit_account in (
    'advertiser', 'affiliate_pending', 'affiliate_payable', 'affiliate_paid', 'exchange'));

alter table transfers disable trigger transfers_are_final;
update transfers t set program_id = c.program_id from conversions c where c.id = t.conversion_id;
alter table transfers enable trigger transfers_are_final;

-- The version before names no program. The condition costs those nothing who do.
create function transfers_of_program() returns trigger language plpgsql as $$
begin
  new.program_id := (select c.program_id from conversions c where c.id = new.conversion_id);
  return new;
end $$;
create trigger transfers_of_program before insert on transfers
for each row when (new.program_id is null) execute function transfers_of_program();
alter table transfers alter column program_id set not null;

-- What is of no conversion, by the affiliate whom it is about.
create index transfers_apart on transfers (
  (case when debit_account in ('advertiser', 'exchange') then credit_owner else debit_owner end), id
) where conversion_id is null;

-- What touches money that may be paid out: settling writes none of it, so it pays nothing for this.
create index transfers_payable on transfers (program_id, id)
where debit_account = 'affiliate_payable' or credit_account = 'affiliate_payable';

create or replace function transfers_refer() returns trigger language plpgsql as $$
begin
  if exists (select from written w where w.conversion_id is not null
                                     and (select c.id from conversions c where c.id = w.conversion_id) is null) then
    raise foreign_key_violation using constraint = 'transfers_conversion', message = 'a transfer of a conversion that is not there';
  end if;
  if exists (select from (select distinct program_id as id from written) w
             where not exists (select from programs p where p.id = w.id)) then
    raise foreign_key_violation using constraint = 'transfers_program', message = 'a transfer of a program that is not there';
  end if;
  return null;
end $$;

alter table conversions
  add column reversed numeric not null default 0,                   -- of its own affiliate's commission, taken back
  add column refunded numeric not null default 0 check (refunded between 0 and amount),  -- of its amount: refunds, lost chargebacks
  add column renews   text,                                         -- the customer whose renewal it is
  add constraint conversions_reversed check (reversed between 0 and commission);
create index conversions_renews on conversions (program_id, renews) where renews is not null;

-- Commissions on a conversion beside its own affiliate's: of other touches, of who recruited whom.
create table shares (
  conversion_id bigint   not null references conversions,
  part          smallint not null check (part between 1 and 99),
  program_id    bigint   not null,
  affiliate_id  bigint   not null references affiliates,
  kind          text     not null check (kind in ('touch', 'level')),
  level         smallint,                                           -- of a level: 1 recruited the conversion's affiliate, 2 him, …
  commission    numeric  not null check (commission >= 0),
  reversed      numeric  not null default 0,
  currency      text     not null,
  status        text     not null check (status in ('pending', 'payable', 'paid', 'rejected', 'reversed')),
  primary key (conversion_id, part),
  check (reversed between 0 and commission),
  check ((kind = 'level') = (level is not null))
);
create index on shares (affiliate_id, conversion_id);

-- What the shop paid back, as postbacks and people told it. A conversion's facts hold the same, for deciding; these
-- are for looking, and for who told it. One that came before its sale stands at a conversion that awaits it.
create table refunds (
  id            bigint      primary key default new_id(),           -- the hit's, where a postback told it
  program_id    bigint      not null references programs,
  conversion_id bigint      not null references conversions,
  refund_id     text        not null check (length(refund_id) between 1 and 128),  -- the shop's
  amount        numeric     check (amount > 0),                     -- absent: all of it
  currency      text,
  hit_id        bigint,                                             -- absent: told by hand
  note          text        check (length(note) between 1 and 500),
  created_at    timestamptz not null default now(),
  unique (conversion_id, refund_id)
);
create index on refunds (program_id, id);

-- Disputes at the buyer's bank. A potential one is not a chargeback yet, and holds nothing.
create table chargebacks (
  id            bigint      primary key default new_id(),
  program_id    bigint      not null references programs,
  conversion_id bigint      not null references conversions,
  chargeback_id text        not null check (length(chargeback_id) between 1 and 128),  -- the shop's
  amount        numeric     check (amount > 0),                     -- absent: all of it
  currency      text,
  status        text        not null check (status in ('potential', 'open', 'won', 'lost', 'accepted')),
  reason        text        not null default 'UNKNOWN' check (reason in (
    'MERCHANDISE_NOT_RECEIVED', 'NOT_AS_DESCRIBED', 'DUPLICATE_TRANSACTION', 'FRAUD', 'NOT_RECOGNIZED',
    'CREDIT_NOT_PROCESSED', 'AUTHORIZATION_PROBLEM', 'INFO_REQUEST', 'UNKNOWN')),
  requested_at  timestamptz not null,
  closed_at     timestamptz,
  hit_id        bigint,                                             -- of the last hit that told of it; absent: by hand
  note          text        check (length(note) between 1 and 500),
  revision      integer     not null default 1,
  created_at    timestamptz not null default now(),
  updated_at    timestamptz not null default now(),
  unique (conversion_id, chargeback_id)
);
create index on chargebacks (program_id, id);

-- Whose customer: the affiliate of the first credited sale, for the commissions on renewals.
create table customers (
  program_id    bigint not null references programs,
  customer      text   not null,
  hit_id        bigint not null,                                    -- that tied him; the earliest does
  conversion_id bigint not null references conversions,
  affiliate_id  bigint not null references affiliates,
  link_id       bigint,
  click_id      bigint,
  primary key (program_id, customer)
);

-- Rights and row security, as in V6.
grant update (reversed, refunded, renews) on conversions to tributary_worker;
grant insert, update (order_id, amount, currency, affiliate_id, link_id, click_id, attributed_by, plan_id, commission, commission_currency,
              hold_until, verified, received_at, reversed, refunded, renews)
  on conversions to tributary_app;
grant select, insert, update (affiliate_id, kind, level, commission, reversed, currency, status)
  on shares to tributary_worker, tributary_app;
grant select, insert, update (amount, currency, hit_id, note) on refunds to tributary_worker, tributary_app;
grant select, insert,
  update (amount, currency, status, reason, requested_at, closed_at, hit_id, note, revision, updated_at)
  on chargebacks to tributary_worker, tributary_app;
grant select, insert, update (hit_id, conversion_id, affiliate_id, link_id, click_id)
  on customers to tributary_worker, tributary_app;
grant select on shares, refunds, chargebacks to tributary_report;

do $$
declare
  name text;
  own constant text := 'case (select caller_role()) when ''operator'' then true '
    'when ''advertiser'' then program_id = any ((select caller_programs())::bigint[]) else false end';
begin
  foreach name in array array['shares', 'refunds', 'chargebacks', 'customers'] loop
    execute format('alter table %I enable row level security, force row level security', name);
    execute format('create policy all_tenants on %I to tributary_worker using (true) with check (true)', name);
    execute format('create policy made on %I for insert to tributary_app with check (%s)', name, own);
    execute format('create policy changed on %I for update to tributary_app using (%s)', name, own);
  end loop;
  execute format('create policy seen on customers for select to tributary_app using (%s)', own);
end $$;

create policy seen on shares for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then affiliate_id = (select caller_tenant())
    else false
  end);

-- What took a commission back is told to who had it.
do $$
declare
  name text;
begin
  foreach name in array array['refunds', 'chargebacks'] loop
    execute format('create policy seen on %I for select to tributary_app, tributary_report using (
      case (select caller_role())
        when ''operator'' then true
        when ''advertiser'' then program_id = any ((select caller_programs())::bigint[])
        when ''affiliate'' then exists (select from conversions c where c.id = conversion_id)
        else false
      end)', name);
  end loop;
end $$;

-- A person may tell of a refund before anything told of its sale: then its conversion awaits it.
create policy made on conversions for insert to tributary_app with check (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    else false
  end);

drop policy seen on transfers;
create policy seen on transfers for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    when 'affiliate' then debit_account not in ('advertiser', 'exchange') and debit_owner = (select caller_tenant())
                       or credit_account not in ('advertiser', 'exchange') and credit_owner = (select caller_tenant())
    else false
  end);
drop policy made on transfers;
create policy made on transfers for insert to tributary_app with check (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then program_id = any ((select caller_programs())::bigint[])
    else false
  end);

create trigger audit after insert or update or delete on refunds     for each row
when (coalesce(current_setting('tributary.actor', true), '') <> '') execute function audit_row();
create trigger audit after insert or update or delete on chargebacks for each row
when (coalesce(current_setting('tributary.actor', true), '') <> '') execute function audit_row();
