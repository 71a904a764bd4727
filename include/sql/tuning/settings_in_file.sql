-- One row is a line of the configuration files as they are now: what ALTER SYSTEM left (automatic), whether it
-- is the last word on its setting and usable (applied), or an error.
-- Needs GRANT SELECT ON pg_file_settings and GRANT EXECUTE ON FUNCTION pg_show_all_file_settings().
SELECT coalesce(name, '') AS name, coalesce(setting, '') AS value, sourcefile, sourceline, coalesce(error, '') AS error,
       sourcefile LIKE '%%/postgresql.auto.conf' AS automatic, applied
FROM pg_file_settings
ORDER BY seqno
