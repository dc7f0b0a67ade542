-- The books: immutable transfers, each with both its sides in one row, so that they cannot be out of balance.
-- A correction is another transfer. The status of a commission is where its money is:
--   accrue   advertiser          -> affiliate_pending
--   approve  affiliate_pending   -> affiliate_payable
--   reject   affiliate_pending|affiliate_payable -> advertiser   (by hand)
--   supersede affiliate_pending|affiliate_payable -> advertiser  (better evidence changed the sale; a new accrue follows)

create table transfers (
  id             bigint      primary key default new_id(),
  conversion_id  bigint      not null references conversions,
  code           text        not null check (code in ('accrue', 'approve', 'reject', 'supersede')),
  cause_id       bigint      not null,                              -- the hit, or the conversion itself, that made it due
  debit_account  text        not null check (debit_account in ('advertiser', 'affiliate_pending', 'affiliate_payable', 'affiliate_paid')),
  debit_owner    bigint      not null,
  credit_account text        not null check (credit_account in ('advertiser', 'affiliate_pending', 'affiliate_payable', 'affiliate_paid')),
  credit_owner   bigint      not null,
  amount         numeric     not null check (amount > 0),
  currency       text        not null,
  event_at       timestamptz not null,                              -- when its cause happened
  created_at     timestamptz not null default now(),                -- when it was written
  constraint transfers_once unique (conversion_id, code, cause_id),
  check (debit_account <> credit_account)
);

create function transfers_are_final() returns trigger language plpgsql as $$
begin
  raise exception 'a transfer is never changed; correct it by another transfer';
end $$;

create trigger transfers_are_final before update or delete on transfers for each row execute function transfers_are_final();
create trigger transfers_are_not_truncated before truncate on transfers for each statement execute function transfers_are_final();
