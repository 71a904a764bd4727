-- pg_monitor sees statistics, not the last values of sequences; a monitoring role needs them to foresee their end.
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO docrag_monitor;
ALTER DEFAULT PRIVILEGES FOR ROLE docrag IN SCHEMA public GRANT SELECT ON SEQUENCES TO docrag_monitor;
-- What daily_backup_verification holds against the newest row of a restored dump.
GRANT SELECT (created_at) ON audit_logs TO docrag_monitor;

-- tune_postgres reads the configuration files and reloads them; the settings it may set are in tuning.sql.
GRANT SELECT ON pg_file_settings TO docrag_maintenance;
GRANT EXECUTE ON FUNCTION pg_show_all_file_settings(), pg_reload_conf() TO docrag_maintenance;
