-- One row is a table that holds rows of the table %(oid)s: itself, a partition, or a child.
-- upper: the time from which on the partition takes no rows, where it is a range of the policy's column alone.
-- parent_*: what it can be detached from; has_default: a parent with a default partition detaches nothing concurrently.
-- foreign: a foreign table, whose rows are another server's. triggers: its own that fire on DELETE, which a DROP passes over.
-- needed_by: what a DROP would have to take along (views, foreign keys). referenced_by: foreign keys that let no row go
-- while one points to it: from (schema, table) by columns (pairs: theirs, ours), where this role can read them.
-- pending: a detach that was begun and not finished. keys: a unique key, NULL where it has none without arrays; key_types: their types.
WITH RECURSIVE tree AS (
    SELECT c.oid, NULL::oid AS parent FROM pg_class AS c WHERE c.oid = %(oid)s::oid
    UNION ALL
    SELECT i.inhrelid, i.inhparent FROM pg_inherits AS i JOIN tree ON tree.oid = i.inhparent
)
SELECT c.oid::text AS oid, n.nspname AS schema_name, c.relname AS table_name,
       greatest(c.reltuples, s.n_live_tup, 0)::float8 AS live_rows, c.relkind = 'f' AS foreign,
       c.relispartition AS is_partition, pn.nspname AS parent_schema, p.relname AS parent_name,
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped) AS column_type,
       EXISTS (SELECT FROM pg_partitioned_table AS d WHERE d.partrelid = tree.parent AND d.partdefid <> 0) AS has_default,
       coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) AS pending,
       CASE WHEN pt.partstrat = 'r' AND pt.partnatts = 1 AND pt.partattrs[0] = ka.attnum
            THEN (substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']*)''\)$'))::timestamptz END AS upper,
       ARRAY(SELECT g.tgname::text FROM pg_trigger AS g
             WHERE g.tgrelid = c.oid AND NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgtype & 8 <> 0
             ORDER BY 1) AS triggers,
       ARRAY(SELECT DISTINCT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend AS d
             WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'n'
               AND NOT EXISTS (SELECT FROM pg_depend AS own WHERE (own.classid, own.objid) = (d.classid, d.objid)
                               AND own.refclassid = d.refclassid AND own.refobjid = c.oid AND own.deptype IN ('a', 'i'))
             ORDER BY 1) AS needed_by,
       ARRAY(SELECT DISTINCT jsonb_build_object(
                 'schema', kn.nspname, 'table', kc.relname,
                 'pairs', (SELECT jsonb_agg(jsonb_build_array(theirs.attname, ours.attname) ORDER BY u.place)
                           FROM unnest(k.conkey, k.confkey) WITH ORDINALITY AS u (theirs, ours, place)
                           JOIN pg_attribute AS theirs ON theirs.attrelid = k.conrelid AND theirs.attnum = u.theirs
                           JOIN pg_attribute AS ours ON ours.attrelid = k.confrelid AND ours.attnum = u.ours))
             FROM pg_constraint AS k
             JOIN pg_class AS kc ON kc.oid = k.conrelid
             JOIN pg_namespace AS kn ON kn.oid = kc.relnamespace
             WHERE k.confrelid = c.oid AND k.contype = 'f' AND k.confdeltype IN ('a', 'r')
               AND has_table_privilege(kc.oid, 'SELECT') AND has_schema_privilege(kn.oid, 'USAGE')) AS referenced_by,
       key.names AS keys, key.types AS key_types
FROM tree
JOIN pg_class AS c ON c.oid = tree.oid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
LEFT JOIN pg_class AS p ON p.oid = tree.parent
LEFT JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid AND i.inhparent = tree.parent
LEFT JOIN pg_partitioned_table AS pt ON pt.partrelid = tree.parent
LEFT JOIN pg_attribute AS ka ON ka.attrelid = tree.parent AND ka.attname = %(column)s AND NOT ka.attisdropped
LEFT JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY k.place) AS names,
           array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY k.place) AS types
    FROM (SELECT x.indexrelid, x.indkey FROM pg_index AS x
          WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid AND x.indimmediate
            AND x.indexprs IS NULL AND x.indpred IS NULL
            AND NOT EXISTS (SELECT FROM unnest(x.indkey[0:x.indnkeyatts - 1]) AS u (attnum)
                            JOIN pg_attribute AS na ON na.attrelid = c.oid AND na.attnum = u.attnum
                            JOIN pg_type AS ty ON ty.oid = na.atttypid
                            WHERE NOT na.attnotnull OR ty.typcategory = 'A')
          ORDER BY x.indisprimary DESC, x.indnkeyatts, x.indexrelid LIMIT 1) AS best
    JOIN pg_index AS x ON x.indexrelid = best.indexrelid
    CROSS JOIN LATERAL unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
) AS key ON true
WHERE c.relkind IN ('r', 'f')
ORDER BY n.nspname, c.relname
