-- One row is the server that a session leads to, so that reading and changing are known to mean the same one.
SELECT pg_postmaster_start_time()::text AS started, current_setting('port') AS port, pg_is_in_recovery() AS replica
