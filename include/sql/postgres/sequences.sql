-- One row is a sequence. value: ratio of its range that is used (0 when it was never used, or cycles).
-- A sequence ends at its own limit or at that of the column it feeds, whichever comes first.
SELECT format('%%I.%%I', s.schemaname, s.sequencename) AS subject,
       CASE
           WHEN s.cycle OR s.last_value IS NULL THEN 0
           WHEN s.increment_by > 0
               THEN (s.last_value - s.min_value)::float8 / (least(s.max_value, col.max_value) - s.min_value)
           ELSE (s.max_value - s.last_value)::float8 / (s.max_value - s.min_value)
       END AS value,
       s.last_value, least(s.max_value, col.max_value) AS largest
FROM pg_sequences AS s
LEFT JOIN LATERAL (
    SELECT min(CASE a.atttypid
                   WHEN 'int2'::regtype THEN 32767
                   WHEN 'int4'::regtype THEN 2147483647
                   ELSE 9223372036854775807 END) AS max_value
    FROM pg_depend AS d
    JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass
      AND d.objid = format('%%I.%%I', s.schemaname, s.sequencename)::regclass
      AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i')
) AS col ON true
