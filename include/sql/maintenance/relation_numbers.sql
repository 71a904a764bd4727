-- One row is one of the tables and indexes %(oids)s that are still there; the sum of all partitions is not in it.
-- size_bytes: bytes, of a table with its indexes and TOAST, NULL where somebody has locked it; dead_rows: estimated; transaction_age: transactions.
WITH locked AS MATERIALIZED (
    SELECT l.relation FROM pg_locks AS l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_backend_pid()
      AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
)
SELECT c.oid::text AS oid,
       CASE WHEN EXISTS (SELECT FROM locked WHERE locked.relation IN (c.oid, c.reltoastrelid) OR locked.relation IN (
                        SELECT i.indexrelid FROM pg_index AS i WHERE i.indrelid = c.oid)) THEN NULL
            WHEN c.relkind = 'i' THEN pg_relation_size(c.oid) ELSE pg_total_relation_size(c.oid) END::float8 AS size_bytes,
       coalesce(s.n_dead_tup, 0)::float8 AS dead_rows,
       coalesce((SELECT max(greatest(age(o.relfrozenxid), mxid_age(o.relminmxid))) FROM pg_class AS o
        WHERE o.oid IN (c.oid, c.reltoastrelid) AND o.relfrozenxid <> '0'), 0)::float8
           AS transaction_age
FROM pg_class AS c
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.oid = ANY (%(oids)s::oid[])
