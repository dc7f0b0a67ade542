-- programs.create: what an advertiser offers. Its first plan is written in the same transaction.
insert into programs (advertiser_id, name, landing_url, allowed_hosts, click_param, attribution, window_days,
                      hold_days, unsigned, coupons, consent, payout_minimum)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
returning id
