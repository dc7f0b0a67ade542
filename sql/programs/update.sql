-- programs.update: what is given, if it is the advertiser's ($2, null for all); a pause keeps its first moment.
-- $14: only at this revision.
update programs
set name = coalesce($3, name),
    landing_url = coalesce($4, landing_url),
    allowed_hosts = coalesce($5, allowed_hosts),
    click_param = coalesce($6, click_param),
    attribution = coalesce($7, attribution),
    window_days = coalesce($8, window_days),
    hold_days = coalesce($9, hold_days),
    unsigned = coalesce($10, unsigned),
    coupons = coalesce($11, coupons),
    consent = coalesce($12, consent),
    payout_minimum = coalesce($15, payout_minimum),
    paused_at = case when $13::boolean is null then paused_at when $13 then coalesce(paused_at, now()) end
where id = $1 and ($2::bigint is null or advertiser_id = $2)
  and ($14::bigint is null or xmin::text::bigint = $14)
returning id
