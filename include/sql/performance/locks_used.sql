-- One row is the whole server. value: ratio of its lock table that is taken at this moment.
-- Source: https://www.postgresql.org/docs/current/runtime-config-locks.html
SELECT 'postgres' AS subject,
       (SELECT count(*) FROM pg_locks WHERE locktype <> 'virtualxid')::float8
           / (current_setting('max_locks_per_transaction')::int
              * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int)) AS value,
       (SELECT count(*) FROM pg_locks) AS locks,
       (SELECT count(*) FROM pg_locks WHERE NOT granted) AS waiting
