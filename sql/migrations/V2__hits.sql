-- What came, and what became of it. Frames are the unit of exactly-once; hits are kept as they came.

-- One row an edge's journal. Frames below the watermark are committed, all of them, and need no row any more.
create table edges (
  edge_id     bigint      primary key,                              -- random, made with the journal
  edge_number integer     not null,                                 -- the node in this edge's hit ids
  watermark   bigint      not null default 0,                       -- hits 0..watermark-1 are committed
  seen_at     timestamptz not null default now()
);

-- The claim: a frame whose key is here, or lies below its edge's watermark, was settled.
create table frames (
  edge_id   bigint  not null references edges,
  first_seq bigint  not null,
  hits      integer not null check (hits > 0),
  claimed_at timestamptz not null default now(),                    -- rows are pruned some minutes after the watermark passed
  primary key (edge_id, first_seq)
);

create table hits (
  id            bigint      primary key,                            -- time-based; tells the moment of arrival
  edge_id       bigint      not null,
  seq           bigint      not null,
  received_at   timestamptz not null,
  kind          text        not null check (kind in ('click', 'pixel', 'form', 'postback', 'download')),
  code          text        not null,                               -- the link's or tracking code's code, as it came
  program_id    bigint,                                             -- null when the code is unknown
  affiliate_id  bigint,                                             -- a click's; a conversion's is on the conversion
  outcome       text        not null,
  reasons       text[]      not null default '{}',                  -- stable codes; the first is the reason of the outcome
  conversion_id bigint,
  raw           bytea       not null                                -- the request, verbatim, as journalled
);
create index hits_program on hits (program_id, id desc);
create index hits_shop on hits (program_id, id desc) where kind <> 'click';  -- what a shop sent, without the many clicks
create index hits_conversion on hits (conversion_id) where conversion_id is not null;

-- Places of a journal that no hit came for: damaged, or torn by a power cut before they were answered.
create table losses (
  edge_id    bigint      not null references edges,
  first_seq  bigint      not null,
  hits       integer     not null check (hits > 0),
  noticed_at timestamptz not null default now(),
  primary key (edge_id, first_seq)
);

-- Hits that could not be settled: the hit is kept with the outcome `dead`, and here is why.
create table dead_letters (
  hit_id     bigint      primary key references hits,
  error      text        not null,
  created_at timestamptz not null default now()
);

create table clicks (
  id           bigint      primary key,                             -- the hit
  program_id   bigint      not null,
  affiliate_id bigint      not null,
  link_id      bigint      not null,
  clicked_at   timestamptz not null,
  s1 text, s2 text, s3 text, s4 text, s5 text
);
create index clicks_affiliate on clicks (affiliate_id, clicked_at);
create index clicks_program on clicks (program_id, clicked_at);

-- One sale or lead of one order in one program, whatever the number and channel of its hits.
create table conversions (
  id                  bigint      primary key,                      -- the hit that made it known first
  program_id          bigint      not null references programs,
  kind                text        not null check (kind in ('sale', 'lead')),
  order_key           text        not null,                         -- what it is recognised by; the order id, as a rule
  order_id            text,                                         -- as the shop knows it; absent when it sent none
  revision            integer     not null default 1,               -- moves with every change; two writers cannot both win
  amount              numeric     not null check (amount >= 0),
  currency            text        not null,
  affiliate_id        bigint      references affiliates,            -- null: nobody referred it
  link_id             bigint,
  click_id            bigint,
  attributed_by       text        check (attributed_by in ('click_token', 'coupon', 'cookie')),
  plan_id             bigint      references plans,                 -- the terms, frozen
  commission          numeric     not null check (commission >= 0),
  commission_currency text        not null,
  status              text        not null check (status in ('pending', 'payable', 'paid', 'rejected', 'reversed')),
  held                boolean     not null,                         -- waits for approval by hand; time alone will not release it
  hold_until          timestamptz not null,
  verified            boolean     not null,
  received_at         timestamptz not null,                         -- of the hit that speaks for it
  reasons             text[]      not null default '{}',
  rejection           text        check (length(rejection) between 1 and 500),  -- what the person who rejected it wrote
  facts               jsonb       not null,                         -- each field with the hit it came from
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now(),
  constraint conversions_order unique (program_id, kind, order_key),
  check ((affiliate_id is null) = (attributed_by is null)),
  check (affiliate_id is not null or commission = 0)
);
create index conversions_affiliate on conversions (affiliate_id, received_at);
create index conversions_program on conversions (program_id, received_at);
create index conversions_order_id on conversions (order_id);
create index conversions_due on conversions (hold_until) where status = 'pending' and not held;
