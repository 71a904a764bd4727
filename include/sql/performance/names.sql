-- One row is a role or a database. kind: role or database; name: as it is.
SELECT 'role' AS kind, oid::bigint AS id, rolname::text AS name FROM pg_roles
UNION ALL
SELECT 'database', oid::bigint, datname::text FROM pg_database
