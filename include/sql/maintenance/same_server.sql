-- One row is the session. database, started: what two sessions have to agree on to work on the same database.
-- replica: whether the server only replays what another one writes.
SELECT current_database() AS database, to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') AS started, pg_is_in_recovery() AS replica,
       current_setting('transaction_read_only')::boolean AS read_only, current_user::text AS role
