-- Models under which several touches of a visitor share a commission.

alter table programs
  drop constraint programs_attribution_check,
  add constraint programs_attribution_check check (attribution in (
    'last_click', 'first_click', 'linear', 'position_based'));
