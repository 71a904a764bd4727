-- One row is a session that waits for a lock that one of ours (%(pids)s) holds or is queued for.
-- waited_s: seconds that it has waited.
SELECT l.pid, max(extract(epoch FROM clock_timestamp() - l.waitstart))::float8 AS waited_s
FROM pg_locks AS l
WHERE NOT l.granted AND l.waitstart IS NOT NULL AND NOT l.pid = ANY (%(pids)s::integer[])
  AND pg_blocking_pids(l.pid) && %(pids)s::integer[]
GROUP BY l.pid
