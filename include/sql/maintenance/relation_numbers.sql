-- One row is one of the tables and indexes %(oids)s that are still there; the sum of all partitions is not in it.
-- size_bytes: bytes, of a table with its indexes and TOAST; dead_rows: estimated; transaction_age: transactions.
SELECT c.oid::text AS oid,
       CASE WHEN c.relkind = 'i' THEN pg_relation_size(c.oid) ELSE pg_total_relation_size(c.oid) END::float8 AS size_bytes,
       coalesce(s.n_dead_tup, 0)::float8 AS dead_rows,
       CASE WHEN c.relfrozenxid = '0' THEN 0 ELSE greatest(age(c.relfrozenxid), mxid_age(c.relminmxid)) END::float8
           AS transaction_age
FROM pg_class AS c
LEFT JOIN pg_stat_all_tables AS s ON s.relid = c.oid
WHERE c.oid = ANY (%(oids)s::oid[])
