-- One row is a table of the live database. rows: the smaller of two estimates, that of the statistics (which counts
-- rows twice that were loaded and vacuumed in one session, and begins at 0 when they are lost by a crash, a failover or
-- a reset: until the next VACUUM or ANALYZE it is not asked) and that of the planner (rows at the last ANALYZE, scaled
-- to the table's size now); is_unknown: the table has never been counted, but is not empty. Large objects, of which
-- nobody keeps a statistic, are counted.
SELECT schema, name, format('%%I.%%I', schema, name) AS subject,
       coalesce(least(counted, planned), since_the_start, 0)::float8 AS rows,
       (counted IS NULL AND planned IS NULL AND since_the_start IS NULL AND size > 0) AS is_unknown
FROM (
    SELECT s.schemaname AS schema, s.relname AS name, pg_relation_size(s.relid) AS size,
           CASE WHEN s.n_live_tup + s.n_dead_tup + s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0
                 AND coalesce(s.last_vacuum, s.last_autovacuum, s.last_analyze, s.last_autoanalyze) IS NOT NULL
                THEN s.n_live_tup END AS counted,
           CASE WHEN s.n_live_tup + s.n_dead_tup + s.n_tup_ins + s.n_tup_upd + s.n_tup_del > 0
                THEN s.n_live_tup END AS since_the_start,
           CASE WHEN c.relpages > 0 AND c.reltuples >= 0
                THEN c.reltuples / c.relpages * pg_relation_size(s.relid) / current_setting('block_size')::int END AS planned
    FROM pg_stat_user_tables AS s
    JOIN pg_class AS c ON c.oid = s.relid
    WHERE c.relkind = 'r'
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
) AS tables
UNION ALL
SELECT 'pg_catalog', 'pg_largeobject_metadata', 'large objects', count(*), false
FROM pg_largeobject_metadata
HAVING count(*) > 0
