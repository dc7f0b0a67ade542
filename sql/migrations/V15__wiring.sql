-- What plans say, booked: conversions that wait for a rate of exchange, and whom renewals are credited to.

create index conversions_waiting on conversions (id) where held and 'rate_missing' = any (reasons);

-- Whom a renewal without a click or coupon of its own is credited to: its customer's affiliate.
alter table conversions
  drop constraint conversions_attributed_by_check,
  add constraint conversions_attributed_by_check check (attributed_by in ('click_token', 'coupon', 'cookie', 'customer'));

-- Housekeeping prices again, by the same statement that writes what people do.
grant update (rejection) on conversions to tributary_worker;
