-- One row is a table that this role may not maintain: it is no member of the role that owns it, and has no MAINTAIN,
-- which PostgreSQL 17 knows.
SELECT c.oid::text AS oid, n.nspname AS schema_name, c.relname AS table_name, pg_get_userbyid(c.relowner) AS owner
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 'p') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
  AND NOT pg_has_role(c.relowner, 'USAGE')
  AND NOT CASE WHEN current_setting('server_version_num')::integer >= 170000
               THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END
