-- One row is a session with an open transaction, the ten oldest.
-- value: seconds since the transaction began.
-- Left out: this session, and the applications that the environment expects (dumps).
SELECT format('pid %%s', pid) AS subject,
       extract(epoch FROM clock_timestamp() - xact_start)::float8 AS value,
       usename AS "user", application_name AS application, client_addr AS client, state, left(query, 200) AS query
FROM pg_stat_activity
WHERE backend_type = 'client backend'
  AND xact_start IS NOT NULL
  AND pid <> pg_backend_pid()
  AND NOT (coalesce(application_name, '') = ANY (%(expected_long_transactions)s::text[]))
ORDER BY xact_start
LIMIT 10
