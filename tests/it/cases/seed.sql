-- One program with a link and a tracking code, ids of its own: for runs that do without the admin API.
insert into advertisers (id, name, currency, timezone) values (1, 'Shop', 'USD', 'UTC');
insert into affiliates (id, name, email) values (2, 'Blog', 'blog@example.com');
insert into programs (id, advertiser_id, name, landing_url) values (3, 1, 'Program', 'https://shop.example/');
insert into plans (program_id, version, terms) values (3, 1, '{"kind":"percent","rate":"10"}');
insert into links (id, program_id, affiliate_id, code) values (4, 3, 2, 'blog');
insert into tracking_codes (id, program_id, code, name, secret)
values (5, 3, 'shop', 'Shop', 'a-secret-of-more-than-32-characters');
