-- One row is what keeps dead rows from being removed, the oldest first. age: transactions.
SELECT holder, age
FROM (
    SELECT format('session %%s (%%s, %%s since %%s)', a.pid, coalesce(nullif(a.application_name, ''), a.usename),
                  a.state, a.xact_start) AS holder,
           greatest(age(a.backend_xmin), age(a.backend_xid)) AS age
    FROM pg_stat_activity AS a
    WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.pid <> pg_backend_pid()
    UNION ALL
    SELECT format('replication slot %%s', s.slot_name), greatest(age(s.xmin), age(s.catalog_xmin))
    FROM pg_replication_slots AS s
    UNION ALL
    SELECT format('prepared transaction %%s', p.gid), age(p.transaction) FROM pg_prepared_xacts AS p
) AS holders
WHERE age IS NOT NULL
ORDER BY age DESC
LIMIT 3
