-- One row is a foreign key. value: rows of its table when no index begins with its columns, else 0.
-- Without one, every delete and key change of the row it points to reads the whole table.
-- Source: https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK
SELECT format('%%I.%%I %%I', schema, name, conname) AS subject,
       CASE WHEN indexed THEN 0 ELSE rows END::float8 AS value,
       CASE WHEN indexed THEN ''
            ELSE format('it points to %%s; CREATE INDEX CONCURRENTLY ON %%I.%%I (%%s);',
                        target, schema, name, columns) END AS evidence
FROM (
    SELECT n.nspname AS schema, c.relname AS name, f.conname, f.confrelid::regclass AS target,
           greatest(c.reltuples, pg_stat_get_live_tuples(c.oid), 0) AS rows,
           (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY k.place)
            FROM unnest(f.conkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.number) AS columns,
           EXISTS (
               SELECT FROM pg_index AS i
               WHERE i.indrelid = c.oid AND i.indisvalid
                 AND (i.indkey::int2[])[0:cardinality(f.conkey) - 1] @> f.conkey
                 AND f.conkey @> (i.indkey::int2[])[0:cardinality(f.conkey) - 1]
                 AND (i.indpred IS NULL OR pg_get_expr(i.indpred, c.oid) IN (
                     SELECT format('(%%I IS NOT NULL)', a.attname)
                     FROM pg_attribute AS a
                     WHERE a.attrelid = c.oid AND cardinality(f.conkey) = 1 AND a.attnum = f.conkey[1]))
           ) AS indexed
    FROM pg_constraint AS f
    JOIN pg_class AS c ON c.oid = f.conrelid AND c.relkind = 'r'
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE f.contype = 'f' AND NOT pg_is_other_temp_schema(n.oid)
) AS keys
