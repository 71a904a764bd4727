-- One row is a setting of the server that is asked for: value in its unit, bounds, where the value comes from.
-- overrides: roles and databases that have a value of their own. Source: pg_settings, pg_db_role_setting.
SELECT s.name, s.setting AS value, coalesce(s.unit, '') AS unit, s.vartype AS kind, s.context,
       coalesce(s.min_val, '') AS least, coalesce(s.max_val, '') AS most, coalesce(s.enumvals, '{}') AS choices,
       s.source, s.pending_restart,
       coalesce((SELECT string_agg(DISTINCT concat_ws(' in ', CASE WHEN d.setrole = 0 THEN 'everybody'
                                   ELSE d.setrole::regrole::text END, b.datname), ', ')
                 FROM pg_db_role_setting d LEFT JOIN pg_database b ON b.oid = d.setdatabase
                 WHERE EXISTS (SELECT FROM unnest(d.setconfig) AS one WHERE split_part(one, '=', 1) = s.name)),
                '') AS overrides
FROM pg_settings s
WHERE s.name = ANY (%(names)s)
