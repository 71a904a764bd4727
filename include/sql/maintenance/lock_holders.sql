-- One row is who has a lock on the table %(oid)s, the oldest transaction first: a session other than this one, or a
-- prepared transaction, which no session has any more.
WITH locks AS (
    SELECT l.pid, l.virtualtransaction
    FROM pg_locks AS l
    WHERE l.locktype = 'relation' AND l.relation = %(oid)s::oid AND l.pid IS DISTINCT FROM pg_backend_pid()
      AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
)
SELECT holder
FROM (
    SELECT format('session %%s (%%s, %%s, transaction since %%s)', a.pid,
                  coalesce(nullif(a.application_name, ''), a.usename, 'unknown'), coalesce(a.state, a.backend_type),
                  coalesce(a.xact_start::text, 'unknown')) AS holder, a.xact_start AS since
    FROM pg_stat_activity AS a
    WHERE a.pid IN (SELECT pid FROM locks)
    UNION ALL
    SELECT format('prepared transaction %%s (%%s, since %%s)', p.gid, p.owner, p.prepared), p.prepared
    FROM pg_prepared_xacts AS p
    WHERE p.transaction IN (SELECT own.transactionid
                            FROM pg_locks AS own
                            JOIN locks USING (virtualtransaction)
                            WHERE own.locktype = 'transactionid' AND own.pid IS NULL AND locks.pid IS NULL)
) AS holders
ORDER BY since NULLS LAST
LIMIT 3
