-- Deletes the rows of these keys that may still go and that nobody has locked. One row is a deleted one, as JSON.
DELETE FROM ONLY {table} AS gone
WHERE gone.ctid = ANY (ARRAY(
    SELECT t.ctid
    FROM ONLY {table} AS t
    JOIN unnest({arrays}) AS k ({names}) ON {match}
    WHERE t.{column} < %(cutoff)s::{type} AND {free}
    FOR UPDATE OF t SKIP LOCKED))
