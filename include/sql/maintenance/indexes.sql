-- One row is a valid index with storage. exclusion: of a constraint whose index cannot be rebuilt concurrently.
-- tablespace: NULL of the database's own. size_bytes: bytes, NULL where somebody has locked it, or queues for that; method: btree, gin …; fillfactor: percent of a page that a new index fills; file: its storage.
WITH locked AS MATERIALIZED (
    SELECT l.relation FROM pg_locks AS l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
      AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
)
SELECT i.indexrelid::text AS oid, i.indrelid::text AS table_oid, n.nspname AS schema_name, c.relname AS index_name,
       format('%%I.%%I', tn.nspname, t.relname) AS table_label, a.amname AS method,
       CASE WHEN i.indexrelid NOT IN (SELECT relation FROM locked) THEN pg_relation_size(i.indexrelid) END::float8 AS size_bytes,
       i.indisexclusion AS exclusion, (SELECT s.spcname FROM pg_tablespace AS s WHERE s.oid = c.reltablespace) AS tablespace,
       c.relfilenode::text AS file,
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
  AND i.indisvalid AND i.indisready
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname, c.relname
