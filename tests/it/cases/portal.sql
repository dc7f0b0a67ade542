-- Two advertisers with a program, a plan and a tracking code each; two affiliates with a link and a sale each.
insert into advertisers (id, name, currency, timezone) values
  (1, 'Anna <script>alert(1)</script> Shoes', 'EUR', 'Europe/Berlin'),
  (2, 'Boris Books', 'USD', 'America/New_York');
insert into affiliates (id, name, email) values
  (11, 'Xenia <script>alert(1)</script>', 'xenia@example.com'),
  (12, 'Yuri', 'yuri@example.com');
insert into programs (id, advertiser_id, name, landing_url) values
  (101, 1, 'Shoes', 'https://anna.example/'),
  (102, 2, 'boris books', 'https://boris.example/');
insert into plans (id, program_id, version, terms) values
  (151, 101, 1, '{"kind":"percent","rate":"10"}'),
  (152, 102, 1, '{"kind":"flat","amount":"5.00"}');
insert into links (id, program_id, affiliate_id, code) values
  (171, 101, 11, 'linkx'),
  (172, 102, 12, 'linky');
insert into tracking_codes (id, program_id, code, name, secret) values
  (201, 101, 'code101', 'Shop', 'secret-of-anna-with-32-characters'),
  (202, 102, 'code102', 'Shop of boris', 'secret-of-boris-with-32-characters');
insert into clicks (id, program_id, affiliate_id, link_id, clicked_at) values
  (901, 101, 11, 171, now()),
  (902, 101, 11, 171, now() - interval '3 days'),
  (903, 101, 11, 171, now() - interval '200 days'),
  (904, 102, 12, 172, now());
insert into conversions (id, program_id, kind, order_key, order_id, amount, currency, affiliate_id, link_id, click_id,
  attributed_by, plan_id, commission, commission_currency, status, held, hold_until, verified, received_at, reasons, facts) values
  (1001, 101, 'sale', 'id:1', '<script>alert(1)</script>', 19.95, 'EUR', 11, 171, 901,
   'click_token', 151, 2.00, 'EUR', 'pending', true, now() + interval '30 days', false, now(), '{unsigned_held}', '{}'),
  (1004, 101, 'sale', 'id:4', 'A-1004', 1000, 'JPY', 11, 171, 901,
   'coupon', 151, 100, 'JPY', 'payable', false, now() - interval '1 day', true, now() - interval '2 days', '{}', '{}'),
  (1003, 102, 'sale', 'id:3', 'boris-order', 5.00, 'USD', 12, 172, 904,
   'cookie', 152, 5.00, 'USD', 'pending', false, now() + interval '30 days', true, now(), '{}', '{}');
insert into transfers (conversion_id, code, cause_id, debit_account, debit_owner, credit_account, credit_owner, amount, currency, event_at) values
  (1001, 'accrue', 1001, 'advertiser', 1, 'affiliate_pending', 11, 2.00, 'EUR', now()),
  (1004, 'accrue', 1004, 'advertiser', 1, 'affiliate_pending', 11, 100, 'JPY', now()),
  (1004, 'approve', 1004, 'affiliate_pending', 11, 'affiliate_payable', 11, 100, 'JPY', now()),
  (1003, 'accrue', 1003, 'advertiser', 2, 'affiliate_pending', 12, 5.00, 'USD', now());
