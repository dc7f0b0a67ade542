-- What plans say, booked: conversions that wait for a rate of exchange, and whom renewals are credited to.

create index conversions_waiting on conversions (id) where 'rate_missing' = any (reasons);

-- Whom a renewal without a click or coupon of its own is credited to: its customer's affiliate.
alter table conversions
  drop constraint conversions_attributed_by_check,
  add constraint conversions_attributed_by_check check (attributed_by in ('click_token', 'coupon', 'cookie', 'customer'));

-- Housekeeping prices again, by the same statement that writes what people do.
grant update (rejection) on conversions to tributary_worker;

-- Whose customer somebody is follows from all the sales that may tie him, each of which has a row: the first of them
-- does, in the order of `unverified` and `hit_id`. A sale that is rejected, or that waits for a person, ties nobody.
alter table customers
  drop constraint customers_pkey,
  add primary key (program_id, customer, conversion_id),
  alter column affiliate_id drop not null,                          -- absent: the sale credits nobody any more
  add column unverified boolean not null,                           -- whether only unsigned hits speak for it
  add column tied_at    timestamptz not null;                       -- when the hit that speaks for it arrived
create index customers_first on customers (program_id, customer, unverified, hit_id) where affiliate_id is not null;

grant update (unverified, tied_at) on customers to tributary_worker;

-- Only who settles knows of ties.
revoke select, insert, update on customers from tributary_app;
