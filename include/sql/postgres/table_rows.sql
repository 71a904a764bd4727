-- One row is a table that has or had a thousand rows (TRUNCATE is counted in neither inserts nor deletes).
-- value: rows, as the statistics estimate them; after a reset of the statistics (a crash, a fail-over) as the planner
-- does, until the table is analyzed or written again.
SELECT subject, value, dead_rows, analyzed
FROM (
    SELECT format('%%I.%%I', s.schemaname, s.relname) AS subject,
           CASE WHEN s.n_live_tup + s.n_dead_tup + s.n_tup_ins + s.n_tup_upd + s.n_tup_del = 0
                THEN greatest(c.reltuples, 0) ELSE s.n_live_tup END::float8 AS value,
           s.n_tup_ins, s.n_tup_del, s.n_dead_tup AS dead_rows,
           coalesce(s.last_autoanalyze, s.last_analyze) AS analyzed
    FROM pg_stat_user_tables AS s
    JOIN pg_class AS c ON c.oid = s.relid
) AS counted
WHERE value >= 1000 OR n_tup_ins >= 1000 OR n_tup_del >= 1000
