-- What settling pays for its triggers: one look at the plans of each program of a statement, where there was one for each
-- of its rows (a qualification on what is made distinct is asked before it is), and one pass over its transfers.

-- Which of these programs may be due anything beside their commissions when a month ends.
create function programs_of_months(programs bigint[]) returns bigint[] language sql stable as $$
  select coalesce(array_agg(p.id), '{}') from unnest(programs) p (id) where has_months(p.id)
$$;

create or replace function conversions_of_months() returns trigger language plpgsql as $$
declare
  programs bigint[] := programs_of_months(array(select distinct program_id from written));
begin
  if programs = '{}' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    perform tell_month_changes(array_agg(w.program_id), array_agg(w.affiliate_id), array_agg(w.received_at))
    from written w where w.program_id = any (programs);
    return null;
  end if;
  perform tell_month_changes(array_agg(t.program_id), array_agg(t.affiliate_id), array_agg(t.at))
  from (
    select w.id, w.program_id, o.affiliate_id as formerly, o.received_at as formerly_at, w.affiliate_id, w.received_at
    from written w
    join former o on o.id = w.id
    where w.program_id = any (programs)
      and (w.affiliate_id, w.received_at, w.plan_id, w.amount, w.currency, w.refunded, w.commission, w.commission_currency,
           w.reversed, w.held, w.status in ('rejected', 'reversed'), w.facts)
          is distinct from
          (o.affiliate_id, o.received_at, o.plan_id, o.amount, o.currency, o.refunded, o.commission, o.commission_currency,
           o.reversed, o.held, o.status in ('rejected', 'reversed'), o.facts)
  ) c
  cross join lateral (
    select c.program_id, c.formerly as affiliate_id, c.formerly_at as at
    union
    select c.program_id, c.affiliate_id, c.received_at
    union
    select c.program_id, s.affiliate_id, at from shares s, unnest(array[c.formerly_at, c.received_at]) at
    where s.conversion_id = c.id
  ) t;
  return null;
end $$;

create or replace function shares_of_months() returns trigger language plpgsql as $$
declare
  programs bigint[] := programs_of_months(array(select distinct program_id from written));
begin
  if programs = '{}' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    perform tell_month_changes(array_agg(w.program_id), array_agg(w.affiliate_id), array_agg(c.received_at))
    from written w
    join conversions c on c.id = w.conversion_id
    where w.program_id = any (programs);
    return null;
  end if;
  perform tell_month_changes(array_agg(w.program_id), array_agg(t.affiliate_id), array_agg(c.received_at))
  from written w
  join former o on o.conversion_id = w.conversion_id and o.part = w.part
  join conversions c on c.id = w.conversion_id
  cross join lateral unnest(array[o.affiliate_id, w.affiliate_id]) t (affiliate_id)
  where w.program_id = any (programs)
    and (w.affiliate_id, w.kind, w.commission, w.reversed, w.currency, w.status in ('rejected', 'reversed'))
        is distinct from
        (o.affiliate_id, o.kind, o.commission, o.reversed, o.currency, o.status in ('rejected', 'reversed'));
  return null;
end $$;

-- A transfer of a conversion is of that conversion's program; one of no conversion, of a program that is there. By a
-- subquery, so that each is found by its key however many conversions there are.
create or replace function transfers_refer() returns trigger language plpgsql as $$
begin
  if exists (select from written w where w.conversion_id is not null
               and (select c.program_id from conversions c where c.id = w.conversion_id) is distinct from w.program_id) then
    raise foreign_key_violation using constraint = 'transfers_conversion',
                                      message = 'a transfer of a conversion that is not there, or of another program';
  end if;
  if exists (select from written w where w.conversion_id is null
               and not exists (select from programs p where p.id = w.program_id)) then
    raise foreign_key_violation using constraint = 'transfers_program', message = 'a transfer of a program that is not there';
  end if;
  return null;
end $$;
