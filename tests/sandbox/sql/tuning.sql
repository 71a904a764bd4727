-- The settings of include/tuning/postgres.yaml, which the change role may set; of the whole server, not of a database.
GRANT ALTER SYSTEM ON PARAMETER shared_buffers, effective_cache_size, work_mem, maintenance_work_mem,
    checkpoint_completion_target, checkpoint_timeout, max_wal_size, min_wal_size, random_page_cost,
    effective_io_concurrency, log_min_duration_statement, log_checkpoints, log_lock_waits, log_temp_files
    TO docrag_maintenance;
