-- One row is a database. numerator: rolled back; denominator: all transactions (counters).
-- The rolled-back questions of this very project are part of both; they are a handful a day.
SELECT datname AS subject,
       xact_rollback::float8 AS numerator,
       (xact_commit + xact_rollback)::float8 AS denominator,
       coalesce(stats_reset::text, '') AS epoch,
       '' AS evidence
FROM pg_stat_database
WHERE datname = current_database()
