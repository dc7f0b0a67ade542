-- catalog.listen: be told when the catalog changes.
listen tributary_catalog
