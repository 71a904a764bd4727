-- Drops an index while others read and write its table. Not in a transaction block.
DROP INDEX CONCURRENTLY IF EXISTS {index}
