-- One row is an index that is invalid and not being built at this moment. value: bytes that it takes, at least 1.
SELECT format('%%I.%%I', n.nspname, c.relname) AS subject,
       greatest(pg_relation_size(c.oid), 1)::float8 AS value,
       format('on %%s: %%s; either DROP INDEX CONCURRENTLY %%I.%%I; or REINDEX INDEX CONCURRENTLY %%I.%%I;',
              i.indrelid::regclass, pg_get_indexdef(c.oid), n.nspname, c.relname, n.nspname, c.relname) AS evidence
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid
  AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p WHERE p.index_relid = i.indexrelid)
