-- How a payout is paid is settled when it is approved: its file and its payment are then of the same payouts, whatever
-- becomes of the affiliate's `payee_method` meanwhile.

alter table payouts
  add column method text check (method in ('paypal', 'sepa', 'other', 'none'));
  -- none: the affiliate had none then; absent: not approved, or by the version before: the affiliate's

grant update (method) on payouts to tributary_app;
