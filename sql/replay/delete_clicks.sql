-- replay.delete_clicks: clicks that do not count any more; their hits stay.
delete from clicks where id = any ($1::bigint[])
