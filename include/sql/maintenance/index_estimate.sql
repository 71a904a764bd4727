-- One row is a B-tree whose need of space can be estimated: rows by the planner's count, width by the columns' average.
-- entries: rows; width_bytes: of the columns of a row without NULLs; page_bytes: bytes.
-- Expressions, and columns without statistics, have no width: such an index is not among the rows.
-- A rough measure: padding, and the saving of duplicates since PostgreSQL 13, are not in it. After
-- https://github.com/ioguix/pgsql-bloat-estimation
SELECT i.indexrelid::text AS oid, greatest(c.reltuples, 0)::float8 AS entries, w.width_bytes,
       current_setting('block_size')::float8 AS page_bytes
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
JOIN pg_am AS a ON a.oid = c.relam AND a.amname = 'btree'
JOIN LATERAL (
    SELECT sum((1 - s.null_frac) * s.avg_width)::float8 AS width_bytes, count(*) AS known
    FROM pg_attribute AS att
    JOIN pg_stats AS s ON s.schemaname = tn.nspname AND s.tablename = t.relname AND s.attname = att.attname
    WHERE att.attrelid = i.indrelid AND att.attnum = ANY (i.indkey) AND NOT s.inherited
) AS w ON w.known = i.indnatts
WHERE i.indisvalid AND i.indexprs IS NULL AND c.reltuples > 0
