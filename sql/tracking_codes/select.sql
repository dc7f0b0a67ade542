-- tracking_codes.select: one or a page, newest first, with what its snippets need of the program.
-- $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit; $6 program.
select t.id, t.program_id, t.code, t.name, t.secret, t.redirect_url, t.return_method, t.created_at,
       t.xmin::text::bigint as revision,
       p.click_param, p.consent, p.window_days, p.attribution
from tracking_codes t
join programs p on p.id = t.program_id
where ($1::bigint is null or p.advertiser_id = $1)
  and $2::bigint is null
  and ($3::bigint is null or t.id = $3)
  and ($4::bigint is null or t.id < $4)
  and ($6::bigint is null or t.program_id = $6)
order by t.id desc
limit $5
