-- Rates of currencies: what one euro was on a day, and who quoted it. The European Central Bank quotes some thirty
-- currencies on its working days; others a person sets. What was paid by a quote must stay explainable, so none
-- ever changes: the first one of a currency and day stands.

create table rates (
  -- Day and currency in one number: what lists are paged by, the newest day first and in it by letter.
  id         bigint      not null unique generated always as (
                           (on_date - date '1999-01-01') * 17576::bigint
                           + (ascii('Z') - ascii(currency)) * 676
                           + (ascii('Z') - ascii(substr(currency, 2))) * 26
                           + (ascii('Z') - ascii(substr(currency, 3)))) stored,
  currency   text        not null check (currency ~ '^[A-Z]{3}$' and currency <> 'EUR'),  -- ISO 4217; a euro is one euro
  on_date    date        not null check (on_date between '1999-01-01' and '9998-12-31'),   -- there was no euro before
  per_euro   numeric     not null check (per_euro between 0.000001 and 1000000000),        -- how many of it one euro was
  source     text        not null check (length(source) between 1 and 100),                -- who quoted it: ECB, or as a person wrote
  created_at timestamptz not null default now(),
  primary key (currency, on_date)
);

create function rates_are_final() returns trigger language plpgsql as $$
begin
  raise exception 'a rate is never changed or deleted: another day has another one';
end $$;
create trigger rates_are_final before update or delete on rates for each row execute function rates_are_final();
create trigger rates_are_not_truncated before truncate on rates for each statement execute function rates_are_final();

-- What a person sets is in the audit log; an import names nobody.
create trigger audit after insert on rates for each row
when (coalesce(current_setting('tributary.actor', true), '') <> '') execute function audit_row();

-- Row security, as in V6. Rates are no tenant's: whoever is known reads them, the operator adds.
alter table rates enable row level security, force row level security;
grant select, insert on rates to tributary_worker, tributary_app;
grant select on rates to tributary_report;
create policy all_tenants on rates to tributary_worker using (true) with check (true);
create policy seen on rates for select to tributary_app, tributary_report using (
  (select caller_role()) in ('operator', 'advertiser', 'affiliate'));
create policy made on rates for insert to tributary_app with check ((select caller_role()) = 'operator');
