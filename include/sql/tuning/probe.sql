-- One row is the answer to the known question of tune_postgres: it sorts, hashes and looks up, whatever tables there
-- are. Median of several.
SELECT count(*) AS rows, max(a.word)
FROM (SELECT n, md5(n::text) AS word FROM generate_series(1, 20000) AS n ORDER BY word) a
JOIN pg_class c ON c.oid = a.n
