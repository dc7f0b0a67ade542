-- ties.write: sales that tie their customers, or do not any more.
insert into customers (program_id, customer, conversion_id, hit_id, unverified, affiliate_id, link_id, click_id, tied_at)
select program_id, customer, conversion_id, hit_id, unverified, affiliate_id, link_id, click_id,
       to_timestamp(tied_ms / 1000::float8)
from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::boolean[], $6::bigint[], $7::bigint[],
            $8::bigint[], $9::bigint[])
     t (program_id, customer, conversion_id, hit_id, unverified, affiliate_id, link_id, click_id, tied_ms)
on conflict (program_id, customer, conversion_id) do update
set hit_id = excluded.hit_id, unverified = excluded.unverified, affiliate_id = excluded.affiliate_id,
    link_id = excluded.link_id, click_id = excluded.click_id, tied_at = excluded.tied_at
