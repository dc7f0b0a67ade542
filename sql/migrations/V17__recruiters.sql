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
