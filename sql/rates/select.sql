-- rates.select: one or a page, the newest day first.
-- $1 one id; $2 before, $3 limit; $4 currency, $5 first day, $6 last day: filters.
select r.id, r.currency, r.on_date, r.per_euro, r.source, r.created_at
from rates r
where ($1::bigint is null or r.id = $1)
  and ($2::bigint is null or r.id < $2)
  and ($4::text is null or r.currency = $4)
  and ($5::date is null or r.on_date >= $5)
  and ($6::date is null or r.on_date <= $6)
order by r.id desc
limit $3
