-- One row is a replica that is connected, or, on a replica, this server itself.
-- value: seconds that it is behind; behind: bytes of WAL not yet replayed.
-- Source: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-REPLICATION-VIEW
SELECT format('%%s %%s', application_name, client_addr) AS subject,
       coalesce(extract(epoch FROM replay_lag), 0)::float8 AS value,
       state,
       CASE WHEN NOT pg_is_in_recovery() THEN pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)) END AS behind
FROM pg_stat_replication
UNION ALL
SELECT 'this server',
       CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
            ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END::float8,
       'replica',
       pg_size_pretty(pg_wal_lsn_diff(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn()))
WHERE pg_is_in_recovery()
