-- One row is an index that another one makes superfluous: the same in all, or (b-tree) with the columns that the other
-- begins with. value: bytes. Of two that are the same, the one made first stays.
-- Left out: what belongs to a constraint or is the replica identity, partitions of an index, invalid ones.
SELECT format('%%I.%%I', n.nspname, c.relname) AS subject,
       pg_relation_size(c.oid)::float8 AS value,
       format('on %%s; %%s serves the same: %%s; DROP INDEX CONCURRENTLY %%I.%%I;', less.indrelid::regclass,
              (array_agg(more.indexrelid::regclass ORDER BY more.indexrelid))[1],
              pg_get_indexdef((array_agg(more.indexrelid ORDER BY more.indexrelid))[1]), n.nspname, c.relname)
           AS evidence
FROM pg_index AS less
JOIN pg_class AS c ON c.oid = less.indexrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_index AS more ON more.indrelid = less.indrelid AND more.indexrelid <> less.indexrelid
JOIN pg_class AS m ON m.oid = more.indexrelid AND m.relam = c.relam
CROSS JOIN LATERAL (
    SELECT less.indkey::text = more.indkey::text AND less.indnkeyatts = more.indnkeyatts
               AND less.indclass::text = more.indclass::text
               AND less.indcollation::text = more.indcollation::text
               AND less.indoption::text = more.indoption::text AS equal,
           (SELECT amname = 'btree' FROM pg_am WHERE oid = c.relam)
               AND NOT less.indisunique AND less.indexprs IS NULL AND more.indexprs IS NULL
               AND less.indnatts = less.indnkeyatts AND less.indnkeyatts < more.indnkeyatts
               AND (more.indkey::int2[])[0:less.indnkeyatts - 1] = (less.indkey::int2[])[0:less.indnkeyatts - 1]
               AND (more.indclass::oid[])[0:less.indnkeyatts - 1] = (less.indclass::oid[])[0:less.indnkeyatts - 1]
               AND (more.indcollation::oid[])[0:less.indnkeyatts - 1]
                   = (less.indcollation::oid[])[0:less.indnkeyatts - 1]
               AND (more.indoption::int2[])[0:less.indnkeyatts - 1]
                   = (less.indoption::int2[])[0:less.indnkeyatts - 1] AS begins,
           EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = more.indexrelid)
               OR more.indisreplident OR (more.indisunique AND NOT less.indisunique) AS stays
) AS compared
WHERE less.indisvalid AND more.indisvalid
  AND NOT less.indisreplident AND NOT less.indisexclusion
  AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = less.indexrelid)
  AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = less.indexrelid)
  AND c.relkind = 'i'
  AND coalesce(pg_get_expr(less.indpred, less.indrelid), '') = coalesce(pg_get_expr(more.indpred, more.indrelid), '')
  AND coalesce(pg_get_expr(less.indexprs, less.indrelid), '') = coalesce(pg_get_expr(more.indexprs, more.indrelid), '')
  AND (begins OR (equal AND (stays OR (less.indisunique = more.indisunique AND more.indexrelid < less.indexrelid))))
  AND n.nspname NOT IN ('pg_catalog', 'pg_toast', 'information_schema') AND NOT pg_is_other_temp_schema(n.oid)
GROUP BY n.nspname, c.relname, c.oid, less.indrelid
