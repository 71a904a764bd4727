-- One row is a table of ten thousand rows or more that is read by sequential scans of many rows, more than ten a day
-- (a dump reads each table once). value: ratio of its scans that used an index, since the statistics began.
-- columns: its columns; unindexed: those that no whole index begins with. days: since when is counted.
-- Source: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ALL-TABLES-VIEW
SELECT format('%%I.%%I', schema, name) AS subject,
       coalesce(idx_scan, 0)::float8 / (seq_scan + coalesce(idx_scan, 0)) AS value,
       schema, name, rows, seq_scan, coalesce(idx_scan, 0) AS idx_scan, seq_tup_read, days::float8 AS days,
       columns, unindexed
FROM (
    SELECT s.schemaname AS schema, s.relname AS name, s.seq_scan, s.idx_scan, s.seq_tup_read,
           greatest(s.n_live_tup, c.reltuples)::bigint AS rows,
           extract(epoch FROM clock_timestamp() - began.at) / 86400 AS days,
           array_agg(a.attname::text ORDER BY a.attnum) AS columns,
           coalesce(array_agg(a.attname::text ORDER BY a.attnum) FILTER (WHERE NOT EXISTS (
               SELECT FROM pg_index AS i
               WHERE i.indrelid = s.relid AND i.indisvalid AND i.indpred IS NULL AND i.indkey[0] = a.attnum)),
               '{}') AS unindexed
    FROM pg_stat_user_tables AS s
    JOIN pg_class AS c ON c.oid = s.relid
    JOIN pg_attribute AS a ON a.attrelid = s.relid AND a.attnum > 0 AND NOT a.attisdropped
    CROSS JOIN (
        SELECT greatest(d.stats_reset, b.stats_reset) AS at
        FROM pg_stat_database AS d, pg_stat_bgwriter AS b
        WHERE d.datname = current_database()
    ) AS began
    GROUP BY s.relid, s.schemaname, s.relname, s.seq_scan, s.idx_scan, s.seq_tup_read, s.n_live_tup, c.reltuples,
             began.at
) AS counted
WHERE rows >= 10000
  AND seq_scan >= greatest(20, 10 * coalesce(days, 0))
  AND seq_tup_read >= 1000 * seq_scan
