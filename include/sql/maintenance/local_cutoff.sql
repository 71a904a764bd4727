-- One row is a time as a clock on the wall showed it: the earliest of UTC and every zone that this server, a database or
-- a role of it works in. A column without a zone holds one of these; its rows leave when they are old by all of them.
-- Where clocks are put back, they show the same time twice, and up to two hours later an earlier one: hence the two hours.
SELECT to_char(min(%(cutoff)s::timestamptz AT TIME ZONE zone) - interval '2 hours', 'YYYY-MM-DD HH24:MI:SS.US') AS cutoff
FROM (SELECT 'UTC' AS zone
      UNION ALL SELECT current_setting('TimeZone')
      UNION ALL SELECT substring(one FROM '=(.*)$') FROM pg_db_role_setting AS s, unnest(s.setconfig) AS one
                WHERE one ILIKE 'timezone=%%') AS zones
