-- One row is the table whose oldest row has waited longest to be frozen.
-- value: ratio of the 2.1 billion transaction ids (or multixacts) that are used up since.
-- Source: https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-WRAPAROUND
SELECT format('%%I.%%I', n.nspname, c.relname) AS subject,
       greatest(age(c.relfrozenxid), mxid_age(c.relminmxid))::float8 / 2100000000 AS value,
       age(c.relfrozenxid) AS transactions, mxid_age(c.relminmxid) AS multixacts,
       current_setting('autovacuum_freeze_max_age') AS freeze_max_age
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm', 't') AND c.relpersistence <> 't' AND c.relfrozenxid <> '0'
ORDER BY 2 DESC
LIMIT 1
