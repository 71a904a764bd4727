-- Builds the index anew beside the old one while others read and write the table. Not in a transaction block.
REINDEX INDEX CONCURRENTLY {index}
