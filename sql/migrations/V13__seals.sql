-- Seals: transfers that have come to rest, hashed block by block, for each advertiser a chain of his own. Whoever keeps
-- a hash elsewhere can show later that no transfer up to it was changed, taken out or put in. docs/DATA.md has the
-- bytes, so that it can be done without this program.

create table seals (
  advertiser_id bigint      not null references advertisers,
  number        bigint      not null check (number > 0),            -- 1, 2, …; without a gap
  format        smallint    not null check (format = 1),            -- of the lines below
  first_id      bigint      not null,                               -- of the block's transfers
  last_id       bigint      not null,
  transfers     integer     not null check (transfers > 0),
  hash          bytea       not null check (length(hash) = 32),     -- SHA-256 of the hash before, seal_line, and the SHA-256 of the lines
  sealed_at     timestamptz not null,
  primary key (advertiser_id, number),
  check (first_id <= last_id)
);
create index seals_block on seals (advertiser_id, last_id);         -- the block that a transfer is in
create index seals_end on seals (last_id);                          -- how far all is sealed

create function seals_are_final() returns trigger language plpgsql as $$
begin
  raise exception 'a seal is never changed';
end $$;
create trigger seals_are_final before update or delete on seals for each row execute function seals_are_final();
create trigger seals_are_not_truncated before truncate on seals for each statement execute function seals_are_final();

-- A field of format 1: its length in characters, a colon, itself; null is a hyphen. So no two rows read alike, whatever
-- stands in their texts. With the cast all of it is immutable, so that PostgreSQL puts it in place: more than twice as fast.
create function sealed_field(text) returns text language sql immutable parallel safe
return coalesce(length($1)::text || ':' || $1, '-');

create function sealed_moment(timestamptz) returns text language sql immutable parallel safe
return sealed_field(trunc(extract(epoch from $1) * 1000000)::text);

-- Every column of a transfer, in the order in which the table has them. A further column needs another format, for what
-- is sealed stays as it is.
create function transfer_line(t transfers) returns text language sql stable parallel safe
return sealed_field(t.id::text) || sealed_field(t.conversion_id::text) || sealed_field(t.code)
    || sealed_field(t.cause_id::text) || sealed_field(t.debit_account) || sealed_field(t.debit_owner::text)
    || sealed_field(t.credit_account) || sealed_field(t.credit_owner::text) || sealed_field(t.amount::text)
    || sealed_field(t.currency) || sealed_moment(t.event_at) || sealed_moment(t.created_at)
    || sealed_field(t.program_id::text) || sealed_field(t.part::text) || sealed_field(t.rate::text)
    || sealed_field(to_char(t.rate_on::timestamp, 'YYYY-MM-DD')) || sealed_field(t.rate_source) || E'\n';

create function seal_line(s seals) returns text language sql stable parallel safe
return sealed_field(s.format::text) || sealed_field(s.advertiser_id::text) || sealed_field(s.number::text)
    || sealed_field(s.first_id::text) || sealed_field(s.last_id::text) || sealed_field(s.transfers::text)
    || sealed_moment(s.sealed_at) || E'\n';

-- Rights and row security, as in V6.
alter table seals enable row level security, force row level security;
create policy all_tenants on seals to tributary_worker using (true) with check (true);
create policy seen on seals for select to tributary_app using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then advertiser_id = (select caller_tenant())
    else false
  end);
grant select, insert on seals to tributary_worker;
grant select on seals to tributary_app;
