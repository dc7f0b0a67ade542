-- catalog.version: moves with every change of the catalog.
select version from catalog_state
