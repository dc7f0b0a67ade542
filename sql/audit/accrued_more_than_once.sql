-- audit.accrued_more_than_once: of the accruals of a conversion's share one stands, or none: each other was taken
-- back. From the id $1 on, of one of its transfers.
select t.conversion_id, t.part
from transfers t
where t.conversion_id in (select conversion_id from transfers where id >= $1)
group by t.conversion_id, t.part
having count(*) filter (where t.code = 'accrue')
       - count(*) filter (where t.code in ('reject', 'supersede')) not in (0, 1)
