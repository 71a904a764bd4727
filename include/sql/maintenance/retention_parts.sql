-- One row is a table that holds rows of the table %(oid)s: itself, a partition, or a child.
-- upper: the time from which on the partition takes no rows, where it is a range of the policy's column alone.
-- parent_*: what it can be detached from; has_default: a parent with a default partition detaches nothing concurrently.
-- pending: a detach that was begun and not finished. keys: a unique key, NULL where it has none; key_types: their types.
WITH RECURSIVE tree AS (
    SELECT c.oid, NULL::oid AS parent FROM pg_class AS c WHERE c.oid = %(oid)s::oid
    UNION ALL
    SELECT i.inhrelid, i.inhparent FROM pg_inherits AS i JOIN tree ON tree.oid = i.inhparent
)
SELECT c.oid::text AS oid, n.nspname AS schema_name, c.relname AS table_name,
       greatest(c.reltuples, s.n_live_tup, 0)::float8 AS live_rows, pg_total_relation_size(c.oid)::float8 AS size_bytes,
       c.relispartition AS is_partition, pn.nspname AS parent_schema, p.relname AS parent_name,
       (SELECT format_type(a.atttypid, NULL) FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname = %(column)s AND NOT a.attisdropped) AS column_type,
       EXISTS (SELECT FROM pg_partitioned_table AS d WHERE d.partrelid = tree.parent AND d.partdefid <> 0) AS has_default,
       coalesce((to_jsonb(i) ->> 'inhdetachpending')::boolean, false) AS pending,
       CASE WHEN pt.partstrat = 'r' AND pt.partnatts = 1 AND pt.partattrs[0] = ka.attnum
            THEN (substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']*)''\)$'))::timestamptz END AS upper,
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
                            WHERE NOT na.attnotnull)
          ORDER BY x.indisprimary DESC, x.indnkeyatts, x.indexrelid LIMIT 1) AS best
    JOIN pg_index AS x ON x.indexrelid = best.indexrelid
    CROSS JOIN LATERAL unnest(x.indkey[0:x.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
) AS key ON true
WHERE c.relkind = 'r'
ORDER BY n.nspname, c.relname
