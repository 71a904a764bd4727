-- Takes new statistics of one table; never waits for the table's lock.
ANALYZE (SKIP_LOCKED) {table}
