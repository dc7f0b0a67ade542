-- The catalog: who sells, who refers, on what terms. Small, read whole by every role, changed seldom.
-- Every change bumps catalog_state.version and notifies, so that edges and workers reload within a moment.

-- Ids are time-based 64-bit integers: milliseconds since 1970 << 22 | node << 12 | counter.
-- Nodes 0..1022 are edges (their hits); 1023 is the database, for everything made here.
create sequence id_counter as bigint cycle minvalue 0 maxvalue 4095 start 0;

create function new_id() returns bigint language sql volatile as $$
  select ((extract(epoch from clock_timestamp()) * 1000)::bigint << 22)
       | (1023::bigint << 12)
       | nextval('id_counter')
$$;

create table advertisers (
  id         bigint      primary key default new_id(),
  name       text        not null check (length(name) between 1 and 200),
  currency   text        not null check (currency ~ '^[A-Z]{3}$'),  -- ISO 4217; what a hit means that names none
  timezone   text        not null,                                  -- IANA name; the days of his reports
  created_at timestamptz not null default now()
);

create table affiliates (
  id         bigint      primary key default new_id(),
  name       text        not null check (length(name) between 1 and 200),
  email      text        not null check (length(email) between 3 and 254),
  paused_at  timestamptz,                                           -- from then on: no credit
  created_at timestamptz not null default now()
);

create table programs (
  id            bigint      primary key default new_id(),
  advertiser_id bigint      not null references advertisers,
  name          text        not null check (length(name) between 1 and 200),
  landing_url   text        not null,
  allowed_hosts text[]      not null default '{}',                  -- hosts a deep link may go to, beside the landing page's
  click_param   text        not null default 'tclid' check (click_param ~ '^[A-Za-z0-9_-]{1,32}$'),
  attribution   text        not null default 'last_click' check (attribution in ('last_click', 'first_click')),
  coupons       boolean     not null default true,                  -- whether a coupon may attribute
  consent       boolean     not null default false,                 -- whether the tag asks for consent before it stores anything
  window_days   integer     not null default 30 check (window_days between 1 and 400),
  hold_days     integer     not null default 30 check (hold_days between 0 and 400),
  unsigned      text        not null default 'accept' check (unsigned in ('accept', 'hold')),
  paused_at     timestamptz,
  created_at    timestamptz not null default now()
);
create index on programs (advertiser_id);

-- The terms of a program. A version is never edited: new terms are a new version, in force from created_at.
create table plans (
  id         bigint      primary key default new_id(),
  program_id bigint      not null references programs,
  version    integer     not null,
  terms      jsonb       not null,
  created_at timestamptz not null default now(),
  unique (program_id, version)
);

create table links (
  id           bigint      primary key default new_id(),
  program_id   bigint      not null references programs,
  affiliate_id bigint      not null references affiliates,
  code         text        not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$'),
  destination  text,                                                -- absent: the program's landing page
  paused_at    timestamptz,
  created_at   timestamptz not null default now()
);
create index on links (program_id);
create index on links (affiliate_id);

create table tracking_codes (
  id            bigint      primary key default new_id(),
  program_id    bigint      not null references programs,
  code          text        not null unique check (code ~ '^[A-Za-z0-9_-]{1,64}$'),
  name          text        not null check (length(name) between 1 and 200),
  secret        text        not null check (length(secret) >= 32),  -- the shop's server signs with it, so it is kept readable
  redirect_url  text,
  return_method text        not null default 'redirect' check (return_method in ('redirect', 'link')),
  created_at    timestamptz not null default now()
);
create index on tracking_codes (program_id);

create table coupons (
  id           bigint      primary key default new_id(),
  program_id   bigint      not null references programs,
  affiliate_id bigint      not null references affiliates,
  code         text        not null check (length(code) between 1 and 64),
  valid_from   timestamptz,
  valid_to     timestamptz,
  created_at   timestamptz not null default now()
);
create unique index coupons_program_code on coupons (program_id, upper(code));
create index on coupons (affiliate_id);

-- Keys are 256 random bits, shown once; only their SHA-256 is here.
create table api_keys (
  id            bigint      primary key default new_id(),
  role          text        not null check (role in ('operator', 'advertiser', 'affiliate')),
  advertiser_id bigint      references advertisers,
  affiliate_id  bigint      references affiliates,
  name          text        not null default '',
  prefix        text        not null,                               -- its first characters, to tell keys apart in a list
  hash          bytea       not null unique check (length(hash) = 32),
  revoked_at    timestamptz,
  created_at    timestamptz not null default now(),
  check ((role = 'advertiser') = (advertiser_id is not null)),
  check ((role = 'affiliate') = (affiliate_id is not null))
);

-- A browser signed in to the portal with a key. The cookie holds 256 random bits; only their SHA-256 is here.
create table sessions (
  hash         bytea       primary key check (length(hash) = 32),
  api_key_id   bigint      references api_keys,
  operator_key bytea       check (length(operator_key) = 32),         -- or: SHA-256 of the setting, the operator's first key
  expires_at   timestamptz not null,
  created_at   timestamptz not null default now(),
  check ((api_key_id is null) <> (operator_key is null))
);

create table catalog_state (
  singleton boolean primary key default true check (singleton),
  version   bigint  not null
);
insert into catalog_state (version) values (1);

create function catalog_changed() returns trigger language plpgsql as $$
begin
  update catalog_state set version = version + 1;
  notify tributary_catalog;
  return null;
end $$;

create trigger catalog_changed after insert or update or delete on advertisers    for each statement execute function catalog_changed();
create trigger catalog_changed after insert or update or delete on affiliates     for each statement execute function catalog_changed();
create trigger catalog_changed after insert or update or delete on programs       for each statement execute function catalog_changed();
create trigger catalog_changed after insert or update or delete on plans          for each statement execute function catalog_changed();
create trigger catalog_changed after insert or update or delete on links          for each statement execute function catalog_changed();
create trigger catalog_changed after insert or update or delete on tracking_codes for each statement execute function catalog_changed();
create trigger catalog_changed after insert or update or delete on coupons        for each statement execute function catalog_changed();
