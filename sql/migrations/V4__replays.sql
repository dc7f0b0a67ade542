-- Stored hits decided again (`tributary replay --apply`): what was so before is kept beside what is so now.

-- One applied batch: one transaction, and the cause of the transfers that it posted.
create table replays (
  id            bigint      primary key,                            -- of new_id()
  selected_from timestamptz not null,                               -- what was asked for
  selected_to   timestamptz not null,
  program_id    bigint,
  outcome       text,
  applied_by    text        not null default session_user,
  applied_at    timestamptz not null default now()
);

-- The fate of a hit before a replay changed it.
create table replayed_hits (
  hit_id        bigint      not null,                               -- its id from then on
  replay_id     bigint      not null references replays,
  former_id     bigint      not null,                               -- another one only for a dead letter, which had none of its own
  program_id    bigint,
  affiliate_id  bigint,
  outcome       text        not null,
  reasons       text[]      not null,
  conversion_id bigint,
  primary key (hit_id, replay_id)
);

-- A conversion before a replay changed it. One that a replay made has no row.
create table replayed_conversions (
  conversion_id       bigint      not null references conversions,
  replay_id           bigint      not null references replays,
  revision            integer     not null,
  amount              numeric     not null,
  currency            text        not null,
  affiliate_id        bigint,
  plan_id             bigint,
  commission          numeric     not null,
  commission_currency text        not null,
  status              text        not null,
  held                boolean     not null,
  hold_until          timestamptz not null,
  verified            boolean     not null,
  reasons             text[]      not null,
  facts               jsonb       not null,
  primary key (conversion_id, replay_id)
);

create function replays_are_final() returns trigger language plpgsql as $$
begin
  raise exception 'what a replay found is never changed';
end $$;

create trigger replays_are_final before update or delete or truncate on replays for each statement execute function replays_are_final();
create trigger replayed_hits_are_final before update or delete or truncate on replayed_hits for each statement execute function replays_are_final();
create trigger replayed_conversions_are_final before update or delete or truncate on replayed_conversions for each statement execute function replays_are_final();

-- A dead letter that is settled after all gets a hit's id; why it was one stays known.
alter table dead_letters
  drop constraint dead_letters_hit_id_fkey,
  add constraint dead_letters_hit_id_fkey foreign key (hit_id) references hits on update cascade;
