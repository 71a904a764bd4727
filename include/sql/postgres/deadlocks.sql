-- One row is a database. value: deadlocks since the statistics were reset (a counter).
SELECT datname AS subject, deadlocks::float8 AS value, coalesce(stats_reset::text, '') AS epoch, '' AS evidence
FROM pg_stat_database
WHERE datname = current_database()
