-- One row is an index of 10 MB or more that only speeds queries up: not unique, of no constraint, no replica identity,
-- no partition of another index, and not beginning with a foreign key's column.
-- value: bytes when nothing used it since the statistics began, else 0. not_judged: they are too young.
-- A crash discards the statistics without a word in pg_stat_database; pg_stat_bgwriter then says when they began.
SELECT format('%%I.%%I', schema, name) AS subject,
       CASE WHEN idx_scan = 0 THEN size ELSE 0 END::float8 AS value,
       CASE WHEN idx_scan = 0 AND days < %(unused_index_days)s
            THEN format('needs %%s days of statistics, has %%s', %(unused_index_days)s::int, floor(days)) END AS not_judged,
       CASE WHEN idx_scan = 0 AND days IS NULL THEN 'the server does not say since when it counts' END AS problem,
       CASE WHEN idx_scan = 0
            THEN format('on %%s, 0 scans in %%s days; replicas connected, whose own use is not counted here: %%s; '
                        'DROP INDEX CONCURRENTLY %%I.%%I;',
                        table_name, floor(days),
                        (SELECT count(*) FROM pg_stat_replication WHERE state IS DISTINCT FROM 'backup'),
                        schema, name) ELSE '' END AS evidence
FROM (
    SELECT s.schemaname AS schema, s.indexrelname AS name, s.relid::regclass AS table_name, s.idx_scan,
           pg_relation_size(s.indexrelid) AS size,
           (SELECT extract(epoch FROM clock_timestamp() - greatest(d.stats_reset, b.stats_reset)) / 86400
            FROM pg_stat_database AS d, pg_stat_bgwriter AS b
            WHERE d.datname = current_database()) AS days
    FROM pg_stat_user_indexes AS s
    JOIN pg_index AS i ON i.indexrelid = s.indexrelid
    WHERE i.indisvalid AND NOT i.indisunique AND NOT i.indisexclusion AND NOT i.indisreplident
      AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conindid = s.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = s.indexrelid)
      AND NOT EXISTS (SELECT FROM pg_constraint AS f
                      WHERE f.contype = 'f' AND f.conrelid = s.relid AND i.indkey[0] = ANY (f.conkey))
) AS candidates
WHERE size >= 10000000
