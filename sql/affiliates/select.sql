-- affiliates.select: one or a page, newest first. $1 advertiser, $2 affiliate: who asks; $3 one id; $4 before, $5 limit.
-- An advertiser sees those with a link, a coupon or a share in his programs, without their e-mail and recruiter; an affiliate is
-- not told his group. Policies know rows, not columns, so that is asked twice here. $6: who is paid, too.
select a.id, a.name, a.paused_at, a.created_at, a.xmin::text::bigint as revision,
       case when $1::bigint is null and caller_role() is distinct from 'advertiser' then a.email end as email,
       case when $1::bigint is null and caller_role() is distinct from 'advertiser' then a.recruited_by end as recruited_by,
       case when $2::bigint is null and caller_role() is distinct from 'affiliate' then a.group_name end as group_name,
       case when $6 then a.payee_method end as payee_method, case when $6 then a.payee_name end as payee_name,
       case when $6 then a.payee_email end as payee_email, case when $6 then a.payee_iban end as payee_iban,
       case when $6 then a.payee_bic end as payee_bic
from affiliates a
where ($1::bigint is null
       or exists (select from links l join programs p on p.id = l.program_id
                  where l.affiliate_id = a.id and p.advertiser_id = $1)
       or exists (select from coupons c join programs p on p.id = c.program_id
                  where c.affiliate_id = a.id and p.advertiser_id = $1)
       or exists (select from shares s join programs p on p.id = s.program_id
                  where s.affiliate_id = a.id and p.advertiser_id = $1))
  and ($2::bigint is null or a.id = $2)
  and ($3::bigint is null or a.id = $3)
  and ($4::bigint is null or a.id < $4)
order by a.id desc
limit $5
