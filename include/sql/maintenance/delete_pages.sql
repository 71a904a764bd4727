-- Deletes, of a table without a key, the rows on these pages that may go and that nobody has locked.
DELETE FROM ONLY {table} AS gone
WHERE gone.ctid = ANY (ARRAY(
    SELECT t.ctid
    FROM ONLY {table} AS t
    WHERE t.ctid >= format('(%%s,0)', %(first_page)s::bigint)::tid AND t.ctid < format('(%%s,0)', %(last_page)s::bigint)::tid
      AND t.{column} < %(cutoff)s::{type} AND {free}
    FOR UPDATE SKIP LOCKED))
