-- One row is the server when archive_mode is on. value: 1 when the last failure is later than the last success.
SELECT 'postgres' AS subject,
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false)::int::float8 AS value,
       last_archived_time, last_failed_time, last_failed_wal
FROM pg_stat_archiver
WHERE current_setting('archive_mode') <> 'off'
