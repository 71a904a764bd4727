-- One row is a session, other than this one, that has a lock on the table %(oid)s, the oldest transaction first.
SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename, 'unknown') AS application,
       coalesce(a.state, a.backend_type) AS state, coalesce(a.xact_start::text, 'unknown') AS since
FROM pg_stat_activity AS a
WHERE a.pid <> pg_backend_pid()
  AND a.pid IN (SELECT l.pid FROM pg_locks AS l WHERE l.locktype = 'relation' AND l.relation = %(oid)s::oid
                AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
ORDER BY a.xact_start NULLS LAST
LIMIT 3
