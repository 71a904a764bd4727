-- One row is a table with storage (partitions each for themselves; no system, temporary or foreign tables).
-- live_rows, dead_rows, inserts, changes: rows, as the statistics estimate them; inserts and changes since the last
-- vacuum and analyze. transaction_age: transactions since the oldest row, here or in its TOAST, was frozen.
-- forgotten: no vacuum and no analyze of it is on record, as after a crash, which loses all the counters.
-- vacuums: how often it was vacuumed, by whomever. busy: a vacuum works on it now. options: its own settings.
SELECT c.oid::text AS oid, n.nspname AS schema_name, c.relname AS table_name,
       greatest(c.reltuples, s.n_live_tup, 0)::float8 AS live_rows,
       coalesce(s.n_dead_tup, 0)::float8 AS dead_rows,
       coalesce(s.n_ins_since_vacuum, 0)::float8 AS inserts,
       coalesce(s.n_mod_since_analyze, 0)::float8 AS changes,
       s.last_analyze IS NULL AND s.last_autoanalyze IS NULL AND c.reltuples <= 0 AS never_analyzed,
       c.reltuples > 0 AND coalesce(s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze) IS NULL AS forgotten,
       (SELECT max(greatest(age(o.relfrozenxid), mxid_age(o.relminmxid))) FROM pg_class AS o
        WHERE o.oid IN (c.oid, c.reltoastrelid) AND o.relfrozenxid <> '0')::float8 AS transaction_age,
       coalesce(s.vacuum_count, 0) + coalesce(s.autovacuum_count, 0) AS vacuums,
       coalesce(s.analyze_count, 0) + coalesce(s.autoanalyze_count, 0) AS analyzes,
       EXISTS (SELECT FROM pg_stat_progress_vacuum AS p WHERE p.relid = c.oid AND p.datname = current_database()) AS busy,
       coalesce((SELECT jsonb_object_agg(option_name, option_value) FROM pg_options_to_table(c.reloptions)), '{}'::jsonb)
           AS options
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY n.nspname, c.relname
