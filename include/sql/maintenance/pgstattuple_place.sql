-- One row is the schema of the extension pgstattuple; none where it is not installed, or may not be used.
-- may_measure: whether this role may have indexes read (pg_stat_scan_tables, or EXECUTE on the functions).
SELECT n.nspname AS schema_name,
       (SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc AS p
        WHERE p.pronamespace = e.extnamespace AND p.proname = 'pgstatindex') AS may_measure
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'pgstattuple'
