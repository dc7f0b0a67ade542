-- migrate.version: the newest migration that was applied.
select max(version) from refinery_schema_history
