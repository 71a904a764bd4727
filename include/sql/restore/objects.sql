-- One row is an object that a restored database has to have: kind (plural), and its name with all that tells it apart.
-- Indexes and constraints are listed when they are valid; those of partitioned tables when those of the partitions are,
-- each of which is listed itself. Objects of extensions and of the system are not.
WITH relations AS (
    SELECT c.oid, c.relkind, format('%%I.%%I', n.nspname, c.relname) AS name
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
      AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                      AND d.deptype = 'e')
)
SELECT CASE relkind WHEN 'v' THEN 'views' WHEN 'm' THEN 'views' WHEN 'S' THEN 'sequences' ELSE 'tables' END AS kind,
       name
FROM relations WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL
SELECT 'columns', format('%%s.%%I %%s', r.name, a.attname, format_type(a.atttypid, a.atttypmod))
FROM relations AS r JOIN pg_attribute AS a ON a.attrelid = r.oid
WHERE r.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'indexes', format('%%s on %%s', r.name, t.name)
FROM relations AS r JOIN pg_index AS i ON i.indexrelid = r.oid JOIN relations AS t ON t.oid = i.indrelid
WHERE (i.indisvalid OR r.relkind = 'I') AND i.indisready
UNION ALL
SELECT 'constraints', format('%%I on %%s', c.conname, r.name)
FROM pg_constraint AS c JOIN relations AS r ON r.oid = c.conrelid
WHERE c.convalidated AND c.contype IN ('c', 'f', 'p', 'u', 'x')
UNION ALL
SELECT 'triggers', format('%%I on %%s', t.tgname, r.name)
FROM pg_trigger AS t JOIN relations AS r ON r.oid = t.tgrelid
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'functions', format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                  AND d.deptype = 'e')
UNION ALL
SELECT 'policies', format('%%I on %%s', p.polname, r.name)
FROM pg_policy AS p JOIN relations AS r ON r.oid = p.polrelid
UNION ALL
SELECT 'extensions', extname FROM pg_extension
