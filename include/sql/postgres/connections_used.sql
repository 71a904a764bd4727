-- One row is the whole server.
-- value: ratio of the connections that ordinary clients may have; used, available: connections.
-- Source: https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ACTIVITY-VIEW
-- Background workers and walsenders are no clients.
SELECT 'postgres' AS subject,
       used::float8 / available AS value,
       used, available, active, idle, idle_in_transaction
FROM (
    SELECT count(*) AS used,
           count(*) FILTER (WHERE state = 'active') AS active,
           count(*) FILTER (WHERE state = 'idle') AS idle,
           count(*) FILTER (WHERE state LIKE 'idle in transaction%%') AS idle_in_transaction,
           (SELECT sum(CASE WHEN name = 'max_connections' THEN setting::int ELSE -setting::int END)
            FROM pg_settings
            WHERE name IN ('max_connections', 'superuser_reserved_connections', 'reserved_connections')) AS available
    FROM pg_stat_activity
    WHERE backend_type = 'client backend'
) AS counted
