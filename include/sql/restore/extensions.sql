-- One row is an extension, with the schema it lives in.
SELECT e.extname AS name, n.nspname AS schema
FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql'
ORDER BY e.oid
