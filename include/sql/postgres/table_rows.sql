-- One row is a table that has or had a thousand rows (TRUNCATE is counted in neither inserts nor deletes). value: rows, as the statistics estimate them.
SELECT format('%%I.%%I', schemaname, relname) AS subject,
       n_live_tup::float8 AS value,
       n_dead_tup AS dead_rows, coalesce(last_autoanalyze, last_analyze) AS analyzed
FROM pg_stat_user_tables
WHERE n_live_tup >= 1000 OR n_tup_ins >= 1000 OR n_tup_del >= 1000
