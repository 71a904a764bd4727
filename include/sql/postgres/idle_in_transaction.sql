-- One row is a session that is idle inside a transaction, the ten longest.
-- value: seconds since the state last changed (query_start would be the time of the last query).
SELECT format('pid %%s', pid) AS subject,
       extract(epoch FROM clock_timestamp() - state_change)::float8 AS value,
       usename AS "user", application_name AS application, client_addr AS client, left(query, 200) AS last_query
FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state LIKE 'idle in transaction%%'
ORDER BY state_change
LIMIT 10
