-- One row is a table of which a hundred thousand blocks (about 800 MB) or more were asked for since the statistics
-- began, indexes and TOAST included. value: ratio that was found in shared buffers; asked, read: blocks.
SELECT subject, hit::float8 / asked AS value, asked, asked - hit AS read
FROM (
    SELECT format('%%I.%%I', schemaname, relname) AS subject,
           coalesce(heap_blks_hit, 0) + coalesce(idx_blks_hit, 0) + coalesce(toast_blks_hit, 0)
               + coalesce(tidx_blks_hit, 0) AS hit,
           coalesce(heap_blks_hit, 0) + coalesce(idx_blks_hit, 0) + coalesce(toast_blks_hit, 0)
               + coalesce(tidx_blks_hit, 0) + coalesce(heap_blks_read, 0) + coalesce(idx_blks_read, 0)
               + coalesce(toast_blks_read, 0) + coalesce(tidx_blks_read, 0) AS asked
    FROM pg_statio_user_tables
) AS counted
WHERE asked >= 100000
