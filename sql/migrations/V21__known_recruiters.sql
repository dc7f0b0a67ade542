-- Whom an advertiser owes a share he knows (V17), so he may make links and coupons for him; and his shares are found by
-- their program.

create or replace function caller_knows(affiliate bigint) returns boolean language plpgsql stable parallel safe as $$
declare
  own bigint[] := caller_programs();
begin
  return exists (select from links where affiliate_id = affiliate and program_id = any(own))
      or exists (select from coupons where affiliate_id = affiliate and program_id = any(own))
      or exists (select from shares where affiliate_id = affiliate and program_id = any(own));
end $$;

create index shares_program on shares (program_id, conversion_id, part);
