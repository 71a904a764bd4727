-- One row is a table, the ten that are read most by sequential scans. value: rows so read per second since the
-- statistics began, over at least an hour.
SELECT subject, value, seq_scan AS scans, seq_tup_read AS rows_read, rows AS rows_now
FROM (
    SELECT format('%%I.%%I', s.schemaname, s.relname) AS subject,
           s.seq_tup_read / greatest(extract(epoch FROM clock_timestamp() - began.at), 3600)::float8 AS value,
           s.seq_scan, s.seq_tup_read, s.n_live_tup AS rows
    FROM pg_stat_user_tables AS s
    CROSS JOIN (
        SELECT greatest(d.stats_reset, b.stats_reset) AS at
        FROM pg_stat_database AS d, pg_stat_bgwriter AS b
        WHERE d.datname = current_database()
    ) AS began
) AS counted
ORDER BY value DESC
LIMIT 10
