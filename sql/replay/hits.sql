-- replay.hits: hits as they came, with their fates.
select id, program_id, affiliate_id, outcome, reasons, conversion_id, raw
from hits
where id = any ($1::bigint[])
order by id
