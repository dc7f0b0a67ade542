-- earnings.clicks: an affiliate's clicks by day, of the last $2 days as the advertiser's calendar has them.
select (c.clicked_at at time zone a.timezone)::date as day, count(*)
from clicks c
join programs p on p.id = c.program_id
join advertisers a on a.id = p.advertiser_id
where c.affiliate_id = $1
  and c.clicked_at >= now() - make_interval(days => $2 + 1)
  and (c.clicked_at at time zone a.timezone)::date > (now() at time zone a.timezone)::date - $2
group by day
