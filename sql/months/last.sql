-- months.last: the last closing of affiliate $2's month $3 in program $1, in each currency.
select distinct on (currency) currency, number, due, lines
from month_closes
where program_id = $1 and affiliate_id = $2 and month = $3
order by currency, number desc
