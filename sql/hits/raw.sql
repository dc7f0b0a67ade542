-- hits.raw: the request as journalled, for a hit that the one who asks was already shown.
select raw from hits where id = $1
