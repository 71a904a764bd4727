-- Ends sessions that an earlier, killed task of ours left at work: their application name, role and database are ours,
-- and no other task of ours can be at work, as the change holds the database. One row is such a session.
SELECT a.pid, pg_terminate_backend(a.pid) AS ended
FROM pg_stat_activity AS a
WHERE a.application_name = %(application)s AND a.usename = current_user AND a.datname = current_database()
  AND a.pid <> pg_backend_pid()
