-- One row is the database. value: bytes that statements wrote to temporary files per day since the statistics began,
-- over at least a day.
SELECT current_database() AS subject,
       d.temp_bytes / greatest(extract(epoch FROM clock_timestamp() - greatest(d.stats_reset, b.stats_reset)) / 86400,
                               1)::float8 AS value,
       d.temp_files AS files, pg_size_pretty(d.temp_bytes) AS written,
       current_setting('work_mem') AS work_mem
FROM pg_stat_database AS d, pg_stat_bgwriter AS b
WHERE d.datname = current_database()
