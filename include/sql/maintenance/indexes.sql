-- One row is a valid index with storage that can be rebuilt concurrently (not one of an exclusion constraint).
-- size_bytes: bytes; method: btree, gin …; fillfactor: percent of a page that a new index fills; file: its storage.
SELECT i.indexrelid::text AS oid, i.indrelid::text AS table_oid, n.nspname AS schema_name, c.relname AS index_name,
       format('%%I.%%I', tn.nspname, t.relname) AS table_label, a.amname AS method,
       pg_relation_size(i.indexrelid)::float8 AS size_bytes, c.relfilenode::text AS file,
       coalesce((SELECT o.option_value::float8 FROM pg_options_to_table(c.reloptions) AS o
                 WHERE o.option_name = 'fillfactor'), 90) AS fillfactor,
       EXISTS (SELECT FROM pg_stat_progress_create_index AS p
               WHERE p.datname = current_database() AND p.relid = i.indrelid) AS busy
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS t ON t.oid = i.indrelid
JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
JOIN pg_am AS a ON a.oid = c.relam
WHERE c.relkind = 'i' AND t.relkind IN ('r', 'm') AND t.relpersistence <> 't'
  AND i.indisvalid AND i.indisready AND NOT i.indisexclusion
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname, c.relname
