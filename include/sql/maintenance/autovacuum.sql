-- One row is a table whose autovacuum settings do not fit it. value: 1; begins_at: dead rows (0: never).
-- why, setting: what does not fit, and the setting to change.
-- Source: https://www.postgresql.org/docs/current/routine-vacuuming.html#AUTOVACUUM
WITH tables AS (
    SELECT format('%%I.%%I', n.nspname, c.relname) AS subject, greatest(c.reltuples, s.n_live_tup, 0)::float8 AS rows,
           s.n_dead_tup::float8 AS dead_rows, s.last_autovacuum, s.last_vacuum,
           coalesce(o.enabled, 'true')::boolean AS enabled,
           coalesce(o.threshold, current_setting('autovacuum_vacuum_threshold'))::float8 AS threshold,
           coalesce(o.scale, current_setting('autovacuum_vacuum_scale_factor'))::float8 AS scale
    FROM pg_class AS c
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_stat_all_tables AS s ON s.relid = c.oid
    CROSS JOIN LATERAL (
        SELECT max(option_value) FILTER (WHERE option_name = 'autovacuum_enabled') AS enabled,
               max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_threshold') AS threshold,
               max(option_value) FILTER (WHERE option_name = 'autovacuum_vacuum_scale_factor') AS scale
        FROM pg_options_to_table(c.reloptions)
    ) AS o
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
),
judged AS (
    SELECT *, threshold + scale * rows AS trigger,
           current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean AS server
    FROM tables
    WHERE rows >= 1000
)
SELECT subject, 1::float8 AS value, CASE WHEN server AND enabled THEN trigger ELSE 0 END::bigint AS begins_at,
       CASE WHEN NOT server THEN 'autovacuum or track_counts is off for the whole server'
            WHEN NOT enabled THEN 'autovacuum is off for this table'
            WHEN trigger > 1000000 AND scale > 0.01 THEN format('it begins only at %%s dead rows', trigger::bigint)
            ELSE format('%%s dead rows are more than twice its trigger: it does not keep up', dead_rows::bigint) END AS why,
       CASE WHEN NOT server THEN 'ALTER SYSTEM SET autovacuum = on; ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf()'
            WHEN NOT enabled THEN format('ALTER TABLE %%s RESET (autovacuum_enabled)', subject)
            WHEN trigger > 1000000 AND scale > 0.01
            THEN format('ALTER TABLE %%s SET (autovacuum_vacuum_scale_factor = 0.01)', subject)
            ELSE format('ALTER TABLE %%s SET (autovacuum_vacuum_cost_delay = 0); more autovacuum_max_workers', subject)
            END AS setting,
       rows, dead_rows, last_autovacuum
FROM judged
WHERE NOT server OR NOT enabled OR (trigger > 1000000 AND scale > 0.01) OR dead_rows > 2 * trigger
