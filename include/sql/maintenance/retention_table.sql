-- One row is a table that a retention policy names; none when there is no such table.
-- column_type, hold_type: types of the policy's columns, NULL when it has no such column. columns: those it has.
-- has_rights: it may be read, deleted from and maintained. cascades: foreign keys of other tables that would change rows
-- there; rules: rewrite rules on DELETE, which may turn it into something else. Both of its partitions and children, too.
WITH RECURSIVE tree AS (
    SELECT c.oid
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relname = %(table)s
    UNION
    SELECT i.inhrelid FROM pg_inherits AS i JOIN tree ON tree.oid = i.inhparent
)
SELECT c.oid::text AS oid, c.relkind::text AS kind, pg_get_userbyid(c.relowner) AS owner, current_user::text AS role,
       pg_has_role(c.relowner, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'DELETE')
           AND has_schema_privilege(n.oid, 'USAGE') AS has_rights,
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname = %(column)s AND a.attnum > 0 AND NOT a.attisdropped) AS column_type,
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname = %(hold)s AND a.attnum > 0 AND NOT a.attisdropped) AS hold_type,
       ARRAY(SELECT a.attname::text FROM pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS columns,
       ARRAY(SELECT format('%%s of %%s', quote_ident(k.conname), k.conrelid::regclass) FROM pg_constraint AS k
             WHERE k.confrelid IN (SELECT oid FROM tree) AND k.conparentid = 0 AND k.contype = 'f' AND k.confdeltype IN ('c', 'n', 'd')
             ORDER BY 1) AS cascades,
       ARRAY(SELECT r.rulename::text FROM pg_rewrite AS r WHERE r.ev_class IN (SELECT oid FROM tree) AND r.ev_type = '4') AS rules
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(table)s
