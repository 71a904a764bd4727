-- One row is a table or sequence that belongs to an extension; dumps fill those that are its configuration.
SELECT n.nspname AS schema, c.relname AS name
FROM pg_depend AS d
JOIN pg_class AS c ON c.oid = d.objid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
  AND c.relkind IN ('r', 'p', 'S')
