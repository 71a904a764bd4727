-- One row is the whole server.
-- value: sessions that have been waiting for a lock for more than one second.
-- longest_s: seconds; blockers: the sessions they wait for.
SELECT 'postgres' AS subject,
       count(*)::float8 AS value,
       coalesce(round(max(waited_s)), 0) AS longest_s,
       coalesce(string_agg(DISTINCT blockers, '; '), 'none') AS blockers
FROM (
    SELECT extract(epoch FROM clock_timestamp() - lock.waitstart) AS waited_s,
           (SELECT string_agg(format('pid %%s (%%s, %%s): %%s', a.pid, a.usename, a.state, left(a.query, 120)), ', ')
            FROM pg_stat_activity AS a
            WHERE a.pid = ANY (pg_blocking_pids(lock.pid))) AS blockers
    FROM pg_locks AS lock
    WHERE NOT lock.granted AND lock.waitstart < clock_timestamp() - interval '1 second'
) AS waiting
