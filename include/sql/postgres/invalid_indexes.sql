-- One row is the whole database. value: indexes that are invalid and not being built at this moment.
SELECT current_database() AS subject,
       count(*)::float8 AS value,
       coalesce(string_agg(format('%%s on %%s', i.indexrelid::regclass, i.indrelid::regclass), ', '), 'none') AS invalid
FROM pg_index AS i
WHERE NOT i.indisvalid
  AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
  AND NOT EXISTS (SELECT 1 FROM pg_class AS c WHERE c.oid = i.indexrelid AND c.relkind = 'I')
