-- One row is a sequence. value: ratio of its range that is used (0 when it was never used, or cycles).
-- problem: set when this role may not read the sequence (pg_monitor does not include it).
-- A sequence ends at its own limit or at that of the column it feeds, whichever comes first.
SELECT format('%%I.%%I', schema, name) AS subject,
       CASE
           WHEN cycles OR (may_read AND last_value IS NULL) THEN 0
           WHEN rises AND largest <= smallest THEN 1
           WHEN rises THEN (last_value::float8 - smallest) / (largest::float8 - smallest)
           ELSE (largest::float8 - last_value) / (largest::float8 - smallest)
       END AS value,
       CASE WHEN NOT may_read AND NOT cycles
            THEN format('the role %%I may not read it: GRANT SELECT ON SEQUENCE %%I.%%I TO %%I',
                        current_user, schema, name, current_user) END AS problem,
       last_value, largest
FROM (
    SELECT n.nspname AS schema,
           c.relname AS name,
           s.seqcycle AS cycles,
           s.seqincrement > 0 AS rises,
           s.seqmin AS smallest,
           CASE WHEN s.seqincrement > 0 THEN least(s.seqmax, col.max_value) ELSE s.seqmax END AS largest,
           may_read,
           CASE WHEN may_read THEN pg_sequence_last_value(c.oid) END AS last_value
    FROM pg_sequence AS s
    JOIN pg_class AS c ON c.oid = s.seqrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (SELECT has_sequence_privilege(c.oid, 'USAGE, SELECT') AS may_read) AS rights
    LEFT JOIN LATERAL (
        SELECT min(CASE a.atttypid
                       WHEN 'int2'::regtype THEN 32767
                       WHEN 'int4'::regtype THEN 2147483647
                       ELSE 9223372036854775807 END) AS max_value
        FROM pg_depend AS d
        JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass
          AND d.objid = c.oid
          AND d.refclassid = 'pg_class'::regclass
          AND d.deptype IN ('a', 'i')
    ) AS col ON true
    WHERE NOT pg_is_other_temp_schema(n.oid)
) AS sequences
