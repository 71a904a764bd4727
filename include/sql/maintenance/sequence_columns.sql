-- One row is a sequence that feeds a column: its own (serial, identity), or that of a default.
-- may_read: whether this role may read both. rises: whether it counts upwards.
SELECT DISTINCT s.seqrelid::text AS oid, sn.nspname AS sequence_schema, sc.relname AS sequence_name,
       tn.nspname AS schema_name, t.relname AS table_name, a.attname AS column_name, s.seqincrement > 0 AS rises,
       s.seqcycle AS cycles, s.seqstart AS start_value,
       has_sequence_privilege(s.seqrelid, 'SELECT') AND has_column_privilege(t.oid, a.attnum, 'SELECT')
           AND has_schema_privilege(tn.oid, 'USAGE') AS may_read
FROM pg_sequence AS s
JOIN pg_class AS sc ON sc.oid = s.seqrelid
JOIN pg_namespace AS sn ON sn.oid = sc.relnamespace
JOIN (
    SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid AS column_number
    FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    UNION
    SELECT d.refobjid, f.adrelid, f.adnum
    FROM pg_depend AS d
    JOIN pg_attrdef AS f ON f.oid = d.objid
    WHERE d.classid = 'pg_attrdef'::regclass AND d.refclassid = 'pg_class'::regclass
) AS fed ON fed.sequence = s.seqrelid AND fed.column_number > 0
JOIN pg_class AS t ON t.oid = fed.relation AND t.relkind IN ('r', 'p')
JOIN pg_namespace AS tn ON tn.oid = t.relnamespace
JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = fed.column_number AND NOT a.attisdropped
WHERE a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype)
  AND NOT pg_is_other_temp_schema(sn.oid)
ORDER BY 2, 3, 4, 5
