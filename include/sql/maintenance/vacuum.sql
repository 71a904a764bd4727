-- Vacuums and analyzes one table beside its readers and writers: never waits for the table's lock, and does not cut off
-- its end, which would lock out everybody for a moment. Not in a transaction block.
VACUUM (SKIP_LOCKED, TRUNCATE false, PARALLEL 0, ANALYZE, FREEZE {freeze}) {table}
