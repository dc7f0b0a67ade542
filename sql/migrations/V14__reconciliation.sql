-- A shop's own list of orders, held against the books: what it says, and where the two differ.

-- One list that was sent. What failed on its way leaves this row and nothing else.
create table reconciliations (
  id          bigint      primary key default new_id(),
  program_id  bigint      not null references programs,
  status      text        not null default 'uploading' check (status in ('uploading', 'compared', 'failed')),
  failure     text        check (length(failure) between 1 and 64),  -- stable code
  asked_from  timestamptz,                                          -- of which time the list is, where that was said:
  asked_to    timestamptz,                                          --   half-open
  span_from   timestamptz,                                          -- of which time it was taken to be, both ends in it:
  span_to     timestamptz,                                          --   as asked, else from its first known order to its last
  lines       bigint      not null default 0,                       -- but for the header and empty ones
  created_at  timestamptz not null default now(),
  compared_at timestamptz,
  check ((status = 'failed') = (failure is not null)),
  check ((status = 'compared') = (compared_at is not null))
);
create index on reconciliations (program_id, id);

-- Its lines, for 90 days. A line that cannot be read is kept, too: its order is in the list.
create table reconciliation_rows (
  reconciliation_id bigint not null references reconciliations,
  line              bigint not null,                                -- of the file; 1 is the header
  program_id        bigint not null,
  order_key         text,                                           -- as conversions have it; absent: unreadable
  amount            numeric check (amount >= 0),
  currency          text   not null,                                -- the advertiser's where the line names none
  refunded          numeric check (refunded >= 0),
  said              text   not null check (said in ('confirmed', 'taken_back', 'partly', 'open', 'unknown', 'silent')),
  word              text,                                           -- the status as it is written there
  fault             text,                                           -- why it cannot be read; stable code
  primary key (reconciliation_id, line)
);
create index on reconciliation_rows (reconciliation_id, order_key);

-- Where the list and the books differ. What the books said is what they said when they were compared.
create table reconciliation_findings (
  id                bigint      primary key default new_id(),
  reconciliation_id bigint      not null references reconciliations,
  program_id        bigint      not null,
  kind              text        not null check (kind in (
    'missing', 'extra', 'amount_differs', 'refunded_but_paid', 'confirmed', 'repeated', 'status_unknown', 'unreadable')),
  line              bigint,                                         -- absent: of what is not in the list
  order_id          text,
  conversion_id     bigint,
  amount            numeric,                                        -- the list's
  refunded          numeric,                                        -- the list's; absent, of refunded_but_paid: all of it
  currency          text,
  booked_amount     numeric,
  booked_refunded   numeric,
  booked_currency   text,
  booked_status     text,
  detail            text,                                           -- the code of a fault, or the status as it is written
  state             text        not null default 'open' check (state in ('open', 'corrected', 'failed')),
  why               text        check (length(why) between 1 and 64),  -- it could not be corrected; stable code
  corrected_at      timestamptz,
  check ((state = 'failed') = (why is not null))
);
create index on reconciliation_findings (reconciliation_id, id);
create index on reconciliation_findings (reconciliation_id, kind, id);
create index reconciliation_findings_open on reconciliation_findings (reconciliation_id, kind, id) where state = 'open';

-- How many there are of each kind: counted once, for there may be a million.
create table reconciliation_counts (
  reconciliation_id bigint not null references reconciliations,
  program_id        bigint not null,
  kind              text   not null,
  found             bigint not null check (found > 0),
  corrected         bigint not null default 0,
  failed            bigint not null default 0,
  primary key (reconciliation_id, kind),
  check (corrected + failed <= found)
);

grant select, insert, update (status, failure, lines, span_from, span_to, compared_at) on reconciliations to tributary_app;
grant select, insert, delete on reconciliation_rows to tributary_app;
grant select, insert, update (state, why, corrected_at) on reconciliation_findings to tributary_app;
grant select, insert, update (corrected, failed) on reconciliation_counts to tributary_app;
-- Housekeeping: what was broken off, and lines that are old.
grant select, update (status, failure) on reconciliations to tributary_worker;
grant select, delete on reconciliation_rows to tributary_worker;

do $$
declare
  name text;
  own constant text := 'case (select caller_role()) when ''operator'' then true '
    'when ''advertiser'' then program_id = any ((select caller_programs())::bigint[]) else false end';
begin
  foreach name in array array[
    'reconciliations', 'reconciliation_rows', 'reconciliation_findings', 'reconciliation_counts'
  ] loop
    execute format('alter table %I enable row level security, force row level security', name);
    execute format('create policy all_tenants on %I to tributary_worker using (true) with check (true)', name);
    execute format('create policy seen on %I for select to tributary_app using (%s)', name, own);
    execute format('create policy made on %I for insert to tributary_app with check (%s)', name, own);
  end loop;
  foreach name in array array['reconciliations', 'reconciliation_findings', 'reconciliation_counts'] loop
    execute format('create policy changed on %I for update to tributary_app using (%s)', name, own);
  end loop;
  execute format('create policy undone on reconciliation_rows for delete to tributary_app using (%s)', own);
end $$;

-- Who sent a list, and what became of it; who corrected what, the log has by the conversions.
create trigger audit after insert or update on reconciliations for each row execute function audit_row();
