-- One row is a database. numerator: blocks found in shared buffers; denominator: all blocks asked for (counters).
SELECT datname AS subject,
       blks_hit::float8 AS numerator,
       (blks_hit + blks_read)::float8 AS denominator,
       coalesce(stats_reset::text, '') AS epoch,
       '' AS evidence
FROM pg_stat_database
WHERE datname = current_database()
