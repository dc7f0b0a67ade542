-- Whoever only recruited has shares in programs without a link or coupon of his own: he sees these programs, too.
create or replace function caller_programs() returns bigint[] language plpgsql stable parallel safe as $$
begin
  return case caller_role()
    when 'advertiser' then array(select id from programs where advertiser_id = caller_tenant())
    when 'affiliate' then array(select program_id from links where affiliate_id = caller_tenant()
                                union
                                select program_id from coupons where affiliate_id = caller_tenant()
                                union
                                select program_id from shares where affiliate_id = caller_tenant())
  end;
end $$;

-- And whom an advertiser owes a share, he knows by name.
drop policy seen on affiliates;
create policy seen on affiliates for select to tributary_app, tributary_report using (
  case (select caller_role())
    when 'operator' then true
    when 'advertiser' then exists (select from links l where l.affiliate_id = affiliates.id)
                        or exists (select from coupons c where c.affiliate_id = affiliates.id)
                        or exists (select from shares s where s.affiliate_id = affiliates.id)
    when 'affiliate' then id = (select caller_tenant())
    else false
  end);
