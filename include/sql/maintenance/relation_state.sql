-- One row is the relation %(oid)s. file: its storage; valid: of an index; attached: a partition or child of another
-- table; pending: its detach was begun and not finished. transaction_age: transactions, its TOAST's too.
SELECT c.oid::text AS oid, c.relkind::text AS kind, n.nspname AS schema_name, c.relname AS name, c.relfilenode::text AS file,
       coalesce((SELECT i.indisvalid FROM pg_index AS i WHERE i.indexrelid = c.oid), true) AS valid,
       coalesce((SELECT i.indrelid::text FROM pg_index AS i WHERE i.indexrelid = c.oid), '') AS table_oid,
       EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = c.oid) AS attached,
       coalesce((SELECT (to_jsonb(h) ->> 'inhdetachpending')::boolean FROM pg_inherits AS h WHERE h.inhrelid = c.oid LIMIT 1),
                false) AS pending,
       (SELECT pn.nspname FROM pg_inherits AS h JOIN pg_class AS p ON p.oid = h.inhparent
        JOIN pg_namespace AS pn ON pn.oid = p.relnamespace WHERE h.inhrelid = c.oid LIMIT 1) AS parent_schema,
       (SELECT p.relname FROM pg_inherits AS h JOIN pg_class AS p ON p.oid = h.inhparent
        WHERE h.inhrelid = c.oid LIMIT 1) AS parent_name,
       coalesce((SELECT s.vacuum_count + s.autovacuum_count FROM pg_stat_all_tables AS s WHERE s.relid = c.oid), 0) AS vacuums,
       coalesce((SELECT s.analyze_count + s.autoanalyze_count FROM pg_stat_all_tables AS s WHERE s.relid = c.oid), 0)
           AS analyzes,
       coalesce((SELECT max(greatest(age(o.relfrozenxid), mxid_age(o.relminmxid))) FROM pg_class AS o
        WHERE o.oid IN (c.oid, c.reltoastrelid) AND o.relfrozenxid <> '0'), 0)::float8 AS transaction_age,
       coalesce((SELECT s.n_dead_tup FROM pg_stat_all_tables AS s WHERE s.relid = c.oid), 0)::float8 AS dead_rows
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.oid = %(oid)s::oid
