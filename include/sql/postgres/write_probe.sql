-- Writes one row into a table that exists for this transaction only; the caller rolls back.
-- A read-only server, one in recovery and one without disk space refuse it. Needs no rights but TEMPORARY.
CREATE TEMPORARY TABLE docrag_ops_write_probe ON COMMIT DROP AS SELECT pg_current_xact_id()::text AS written
