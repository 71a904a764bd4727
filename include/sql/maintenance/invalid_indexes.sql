-- One row is an index that is not valid. twin: a valid index of the same table with the same definition; base: its name
-- without the _ccnew or _ccold that REINDEX CONCURRENTLY gives. building: somebody works on its table's indexes now.
SELECT i.indexrelid::text AS oid, n.nspname AS schema_name, c.relname AS index_name,
       format('%%I.%%I', n.nspname, t.relname) AS table_label,
       substring(c.relname FROM '^(.*)_cc(?:new|old)\d*$') AS base,
       (SELECT tc.relname
        FROM pg_index AS o
        JOIN pg_class AS tc ON tc.oid = o.indexrelid
        WHERE o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND o.indisvalid AND o.indisready
          AND (o.indkey, o.indclass::text, o.indcollation::text, o.indoption::text, o.indisunique)
              = (i.indkey, i.indclass::text, i.indcollation::text, i.indoption::text, i.indisunique)
          AND tc.relam = c.relam
          AND pg_get_expr(o.indexprs, o.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indexprs, i.indrelid)
          AND pg_get_expr(o.indpred, o.indrelid) IS NOT DISTINCT FROM pg_get_expr(i.indpred, i.indrelid)
          AND left(tc.relname, length(substring(c.relname FROM '^(.*)_cc(?:new|old)\d*$')))
              = substring(c.relname FROM '^(.*)_cc(?:new|old)\d*$')
        ORDER BY tc.relname LIMIT 1) AS twin,
       EXISTS (SELECT FROM pg_stat_progress_create_index AS p
               WHERE p.datname = current_database() AND (p.relid = i.indrelid OR p.index_relid = i.indexrelid)) AS building
FROM pg_index AS i
JOIN pg_class AS c ON c.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND c.relkind = 'i'
ORDER BY n.nspname, c.relname
