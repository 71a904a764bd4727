-- Takes a partition out of its parent while others read and write both; {how}: CONCURRENTLY, or FINALIZE where an earlier
-- one was interrupted. Not in a transaction block.
ALTER TABLE {parent} DETACH PARTITION {table} {how}
