-- One row is a replica that is connected, or, on a replica, this server itself.
-- value: seconds that it is behind; behind: WAL not yet replayed. problem: set when the server cannot tell.
-- A replica that has replayed everything has no replay_lag; neither has one that never replayed anything, so without
-- one only a replica that is less than a WAL segment behind is at 0. Base backups are no replicas.
-- Source: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW
SELECT format('%%s %%s', application_name, client_addr) AS subject,
       CASE WHEN replay_lag IS NOT NULL THEN extract(epoch FROM replay_lag)
            WHEN state = 'streaming' AND behind_bytes < 16 * 1024 * 1024 THEN 0 END::float8 AS value,
       CASE WHEN replay_lag IS NULL AND NOT coalesce(state = 'streaming' AND behind_bytes < 16 * 1024 * 1024, false)
            THEN 'the server does not say how many seconds it is behind' END AS problem,
       state,
       pg_size_pretty(behind_bytes) AS behind
FROM (
    SELECT *,
           pg_wal_lsn_diff(
               CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END,
               coalesce(replay_lsn, flush_lsn)) AS behind_bytes
    FROM pg_stat_replication
    WHERE state IS DISTINCT FROM 'backup'
) AS replicas
UNION ALL
SELECT 'this server',
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
                 AND EXISTS (SELECT FROM pg_stat_wal_receiver WHERE status = 'streaming') THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8,
       CASE WHEN pg_last_xact_replay_timestamp() IS NULL THEN 'it has not replayed any transaction yet' END,
       coalesce((SELECT 'replica, receiver ' || status FROM pg_stat_wal_receiver), 'replica, connected to no server'),
       pg_size_pretty(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()))
WHERE pg_is_in_recovery()
