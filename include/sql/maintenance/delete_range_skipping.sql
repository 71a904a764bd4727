-- Deletes the rows of a range of the key that may go and that nobody has locked.
DELETE FROM ONLY {table} AS gone
WHERE gone.ctid = ANY (ARRAY(
    SELECT t.ctid
    FROM ONLY {table} AS t
    WHERE {after} AND {upto} AND t.{column} < %(cutoff)s::{type} AND {free}
    FOR UPDATE OF t SKIP LOCKED))
