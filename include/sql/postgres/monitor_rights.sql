-- One row. granted: whether this role sees the sessions and statistics of all others, as pg_monitor does.
-- Without it, other people's sessions have no state, no start and no query: everything would look idle and well.
SELECT current_user AS role, pg_has_role('pg_read_all_stats', 'USAGE') AS granted
