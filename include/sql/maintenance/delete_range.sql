-- Deletes the rows of a range of the key that may go, when nobody has locked one of them. The caller lets it wait for a
-- lock for a few milliseconds only, and goes over to delete_range_skipping.sql when it has to.
DELETE FROM ONLY {table} AS t
WHERE {after} AND {upto} AND t.{column} < %(cutoff)s::{type} AND {free}
