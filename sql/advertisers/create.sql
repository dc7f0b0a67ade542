-- advertisers.create: a merchant.
insert into advertisers (name, currency, timezone) values ($1, $2, $3) returning id
