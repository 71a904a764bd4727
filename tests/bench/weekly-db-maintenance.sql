-- The guide's weekly database maintenance, as it is written there ("Database Maintenance").
-- Weekly database maintenance script
-- Run via: kubectl exec -n doc-rag-prod deployment/postgres -- psql -U docrag -d docrag -f weekly-db-maintenance.sql

-- Update table statistics
ANALYZE;

-- Vacuum tables to reclaim space
VACUUM (ANALYZE, VERBOSE);

-- Reindex critical tables
REINDEX TABLE documents;
REINDEX TABLE vectors;
REINDEX TABLE user_sessions;

-- Clean up old sessions (older than 30 days)
DELETE FROM user_sessions WHERE created_at < NOW() - INTERVAL '30 days';

-- Clean up old logs (older than 90 days)  
DELETE FROM audit_logs WHERE created_at < NOW() - INTERVAL '90 days';

-- Update sequence statistics
SELECT setval('documents_id_seq', COALESCE((SELECT MAX(id)+1 FROM documents), 1), false);

-- Check database size
SELECT 
    pg_size_pretty(pg_database_size('docrag')) as database_size,
    pg_size_pretty(pg_total_relation_size('documents')) as documents_table_size,
    pg_size_pretty(pg_total_relation_size('vectors')) as vectors_table_size;
