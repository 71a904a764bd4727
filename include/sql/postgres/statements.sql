-- One row is a statement of a user in a database, the 300 with the most time; all counters are cumulative.
-- query: normalised; but ALTER ROLE … PASSWORD is kept as it was typed, so passwords are blotted out.
-- total_ms: planning and execution, milliseconds. Columns exist since PostgreSQL 14.
-- Source: https://www.postgresql.org/docs/current/pgstatstatements.html
SELECT i.stats_reset,
       i.dealloc,
       s.queryid AS query_id,
       s.userid::bigint AS user_id,
       s.dbid::bigint AS database_id,
       regexp_replace(left(s.query, 1000), $$(password\s+)e?'([^']|'')*'?$$, '\1***', 'gi') AS query,
       s.calls,
       s.total_plan_time + s.total_exec_time AS total_ms,
       s.rows AS rows_count,
       s.shared_blks_hit AS blocks_hit,
       s.shared_blks_read AS blocks_read,
       s.temp_blks_written AS temp_blocks_written
FROM pg_stat_statements AS s
CROSS JOIN pg_stat_statements_info AS i
WHERE s.queryid IS NOT NULL
ORDER BY total_ms DESC
LIMIT 300
