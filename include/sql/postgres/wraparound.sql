-- One row is a database.
-- value: ratio of the 2.1 billion transaction ids that are used up since its oldest unfrozen row.
-- Source: https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
SELECT datname AS subject,
       greatest(age(datfrozenxid), mxid_age(datminmxid))::float8 / 2100000000 AS value,
       age(datfrozenxid) AS transactions, mxid_age(datminmxid) AS multixacts
FROM pg_database
