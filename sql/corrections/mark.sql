-- corrections.mark: what became of findings, each with why it failed or nothing; and how many wait still, of kinds $4.
with marked as (
  update reconciliation_findings f
  set state = case when m.why is null then 'corrected' else 'failed' end, why = m.why, corrected_at = now()
  from unnest($2::bigint[], $3::text[]) m (id, why)
  where f.id = m.id and f.reconciliation_id = $1
  returning f.kind, m.why
), counted as (
  update reconciliation_counts c
  set corrected = c.corrected + m.corrected, failed = c.failed + m.failed
  from (select kind, count(*) filter (where why is null) as corrected, count(why) as failed from marked group by kind) m
  where c.reconciliation_id = $1 and c.kind = m.kind
)
select (coalesce(sum(c.found - c.corrected - c.failed), 0) - (select count(*) from marked))::bigint as "left"
from reconciliation_counts c
where c.reconciliation_id = $1 and c.kind = any($4::text[])
