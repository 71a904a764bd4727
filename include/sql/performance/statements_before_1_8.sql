-- One row is a statement, as in postgres/statements.sql, by pg_stat_statements 1.0 to 1.7 (PostgreSQL 12 and before).
-- It does not say when it was reset, nor how often statements were evicted.
SELECT NULL::timestamptz AS stats_reset,
       NULL::bigint AS dealloc,
       s.queryid AS query_id,
       s.userid::bigint AS user_id,
       s.dbid::bigint AS database_id,
       regexp_replace(left(s.query, 1000), $$(password\s+)e?'([^']|'')*'?$$, '\1***', 'gi') AS query,
       s.calls,
       s.total_time AS total_ms,
       s.rows AS rows_count,
       s.shared_blks_hit AS blocks_hit,
       s.shared_blks_read AS blocks_read,
       s.temp_blks_written AS temp_blocks_written
FROM pg_stat_statements AS s
WHERE s.queryid IS NOT NULL
ORDER BY total_ms DESC
LIMIT 300
