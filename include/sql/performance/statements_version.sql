-- One row is the extension pg_stat_statements of this database; none when it has none. major, minor: its version, which
-- says which columns it has (ALTER EXTENSION … UPDATE is a step of its own after an upgrade of the server).
-- Its schema is put on the search path of this session, wherever it was installed.
SELECT split_part(e.extversion, '.', 1)::int AS major, split_part(e.extversion, '.', 2)::int AS minor,
       set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), quote_ident(n.nspname)),
                  false) AS search_path
FROM pg_extension AS e
JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'
