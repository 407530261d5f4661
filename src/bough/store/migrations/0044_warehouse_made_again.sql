-- Until now the warehouse could leave out what was attributed while it read: it is made again from the store.
INSERT INTO watermark (name, journal)
    SELECT 'warehouse.rebuild', 1 FROM (SELECT id FROM attributed LIMIT 1) AS one WHERE TRUE
    ON CONFLICT (name) DO UPDATE SET journal = watermark.journal + 1;
