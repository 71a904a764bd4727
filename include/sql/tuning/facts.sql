-- One row is the server: connections, and counters since statistics_hours. Source: the cumulative statistics views.
SELECT current_setting('max_connections')::int AS max_connections,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections_used,
       extract(epoch FROM now() - greatest(b.stats_reset, w.stats_reset, d.stats_reset))::float8 / 3600 AS statistics_hours,
       d.temp_files, d.temp_bytes, b.checkpoints_timed, b.checkpoints_req AS checkpoints_requested,
       w.wal_bytes::float8 AS wal_bytes
FROM pg_stat_bgwriter b, pg_stat_wal w,
     (SELECT sum(temp_files)::bigint AS temp_files, sum(temp_bytes)::float8 AS temp_bytes, max(stats_reset) AS stats_reset
      FROM pg_stat_database) d
