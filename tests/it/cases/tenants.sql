-- A whole tenant: an advertiser with his affiliate and all that they can have. {n} is its number, {b} begins each of its
-- ids. Whatever is text names the tenant, so that it is known wherever it turns up.
insert into advertisers (id, name, currency, timezone) values ({b}01, 'canary-{n} shop', 'USD', 'UTC');
insert into affiliates (id, name, email) values ({b}02, 'canary-{n} blog', 'email-canary-{n}@mail.example');
insert into programs (id, advertiser_id, name, landing_url, allowed_hosts) values
  ({b}03, {b}01, 'canary-{n} program', 'https://canary-{n}.example/', '{shop.canary-{n}.example}');
insert into plans (id, program_id, version, terms) values ({b}04, {b}03, 1, '{"kind":"percent","rate":"10"}');
insert into links (id, program_id, affiliate_id, code, destination) values
  ({b}05, {b}03, {b}02, 'link-canary-{n}', 'https://canary-{n}.example/deep');
insert into tracking_codes (id, program_id, code, name, secret, redirect_url) values
  ({b}06, {b}03, 'code-canary-{n}', 'canary-{n} thanks', 'secret-canary-{n}-of-32-characters-and-more', 'https://canary-{n}.example/thanks');
insert into coupons (id, program_id, affiliate_id, code) values ({b}07, {b}03, {b}02, 'COUPON-canary-{n}');
insert into clicks (id, program_id, affiliate_id, link_id, clicked_at, s1) values
  ({b}20, {b}03, {b}02, {b}05, now(), 'sub-canary-{n}');
insert into conversions (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id, click_id,
  attributed_by, plan_id, commission, commission_currency, status, held, hold_until, verified, received_at, reasons, rejection, facts)
select {b}00 + i, {b}03, 'sale', 'id:order-canary-{n}-' || i, 'order-canary-{n}-' || i, 20, 'USD', {b}02, {b}05, {b}20,
  'cookie', {b}04, 2, 'USD', status, true, now() + interval '30 days', true, now(), '{}', rejection, 
  jsonb_build_object('speaker', jsonb_build_object('unverified', false, 'hit', {b}00 + i, 'value', 0), 'order_id', 'order-canary-{n}-' || i,
    'money', jsonb_build_object('unverified', false, 'hit', {b}00 + i, 'value', jsonb_build_object('amount', '20.00', 'currency', 'USD')),
    'coupon', null, 'customer', null, 'new_customer', null, 'items', null, 'channels', 1, 'clicks', '[]'::jsonb,
    'attribution', jsonb_build_object('unverified', false, 'hit', {b}00 + i, 'value', jsonb_build_object(
      'by', 'cookie', 'affiliate_id', {b}02, 'link_id', {b}05, 'click_id', {b}20, 'at_ms', 0)),
    'amount_differs', false, 'revived', false, 'notes', '[]'::jsonb)
from (values (21, 'pending', null), (22, 'pending', null), (23, 'rejected', 'rejection-canary-{n}')) c (i, status, rejection);
insert into shares (conversion_id, part, program_id, affiliate_id, kind, level, commission, currency, status)
values ({b}23, 1, {b}03, {b}02, 'level', 1, 1, 'USD', 'rejected');
insert into transfers (conversion_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount, currency, event_at)
select {b}00 + i, 'accrue', {b}00 + i, 'advertiser', {b}01, 'affiliate_pending', {b}02, 2, 'USD', now()
from (values (21), (22), (23)) c (i)
union all
select {b}23, 'reject', {b}23, 'affiliate_pending', {b}02, 'advertiser', {b}01, 2, 'USD', now();
insert into seals (advertiser_id, number, format, first_id, last_id, transfers, hash, sealed_at)
values ({b}01, 1, 1, {b}21, {b}23, 3, sha256('seal of {n}'), now());
insert into hits (id, edge_id, seq, received_at, kind, code, program_id, affiliate_id, outcome, reasons, conversion_id, raw)
select {b}00 + i, {n}, i, now(), kind, 'code-canary-{n}', {b}03, case kind when 'click' then {b}02 end, outcome, '{}', conversion_id, '{raw}'
from (values (20, 'click', 'clicked', null), (21, 'pixel', 'converted', {b}21), (22, 'pixel', 'converted', {b}22),
             (23, 'pixel', 'converted', {b}23), (24, 'pixel', 'rejected', null), (25, 'pixel', 'dead', null))
     h (i, kind, outcome, conversion_id);
insert into dead_letters (hit_id, error) values ({b}25, 'error-canary-{n}');
insert into replays (id, selected_from, selected_to, program_id, applied_by) values ({b}30, now(), now(), {b}03, 'by-canary-{n}');
insert into replayed_hits (hit_id, replay_id, former_id, program_id, outcome, reasons) values ({b}24, {b}30, {b}24, {b}03, 'dead', '{}');
insert into users (id, email, name, role, advertiser_id, scopes, password_hash)
select {b}00 + i, 'staff-' || i || '-canary-{n}@mail.example', 'canary-{n} staff', 'advertiser', {b}01, '{read}', 'none'
from (values (13), (14)) u (i);
insert into invitations (id, hash, email, role, advertiser_id, scopes, made_by)
select {b}00 + i, sha256(({b}00 + i)::text::bytea), 'guest-' || i || '-canary-{n}@mail.example', 'advertiser', {b}01, '{read}', 'key:{b}08'
from (values (15), (16)) u (i);
insert into api_keys (id, role, advertiser_id, name, prefix, hash) values
  ({b}11, 'advertiser', {b}01, 'keyname-canary-{n}', 'key', sha256('spare key of {n}'));
insert into adjustments (id, program_id, affiliate_id, amount, currency, reason)
values ({b}31, {b}03, {b}02, 8, 'USD', 'canary-{n} adjustment');
insert into transfers (id, program_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount, currency, event_at)
select {b}50 + i, {b}03, 'adjust', {b}31 - i, 'advertiser', {b}01, 'affiliate_payable', {b}02, 1, 'USD', now()
from generate_series(0, 7) a (i);
update affiliates set payee_method = 'other', payee_name = 'payee-canary-{n}' where id = {b}02;
insert into payout_runs (id, program_id) select {b}00 + i, {b}03 from (values (32), (33), (34), (39)) r (i);
insert into payouts (id, run_id, program_id, affiliate_id, amount, currency, status, reference)
select {b}00 + i, {b}00 + run, {b}03, {b}02, 1, currency, status, 'reference-canary-{n}'
from (values (35, 32, 'USD', 'proposed'), (36, 32, 'EUR', 'approved'), (37, 32, 'JPY', 'approved'), (38, 32, 'KWD', 'proposed'),
             (41, 33, 'USD', 'proposed'), (42, 34, 'USD', 'approved')) p (i, run, currency, status);
insert into payout_items (payout_id, transfer_id, program_id, amount)
select {b}00 + i, {b}50 + n, {b}03, 1 from (values (35, 0), (36, 1), (37, 2), (38, 3), (41, 4), (42, 5)) p (i, n);
insert into exchanges (id, program_id, affiliate_id, from_amount, from_currency, to_amount, to_currency, rate, rate_on, rate_source)
values ({b}40, {b}03, {b}02, 1, 'USD', 0.9, 'EUR', 0.9, '2026-03-02', 'source-canary-{n}');
insert into idempotent_calls (caller, key, fingerprint, status, body)
values ('key:{b}08', 'key-canary-{n}', sha256('x'), 200, '{"canary": "canary-{n}"}');
insert into refunds (id, program_id, conversion_id, refund_id, note)
values ({b}60, {b}03, {b}23, 'refund-canary-{n}', 'note-canary-{n}');
insert into chargebacks (id, program_id, conversion_id, chargeback_id, status, reason, requested_at, note)
values ({b}61, {b}03, {b}23, 'chargeback-canary-{n}', 'open', 'FRAUD', now(), 'note-canary-{n}');
insert into reconciliations (id, program_id, status, lines, compared_at) values ({b}40, {b}03, 'compared', 1, now());
insert into reconciliation_rows (reconciliation_id, line, program_id, order_key, currency, said) values
  ({b}40, 2, {b}03, 'id:listed-canary-{n}', 'USD', 'silent');
insert into reconciliation_findings (id, reconciliation_id, program_id, kind, line, order_id) values
  ({b}41, {b}40, {b}03, 'missing', 2, 'listed-canary-{n}');
insert into reconciliation_counts (reconciliation_id, program_id, kind, found) values ({b}40, {b}03, 'missing', 1);
insert into month_closes (id, program_id, affiliate_id, month, currency, number, due, booked_before, lines)
values ({b}43, {b}03, {b}02, '2026-01-01', 'USD', 1, 0, 0, '{line of canary-{n}}');
