-- One row is every %(rows)s-th row that may go, in the order of the key, and the last one, by its key as text; nothing is
-- locked. What lies between two of them are so many rows to delete.
SELECT {names_as_text}
FROM (
    SELECT {keys_named}, row_number() OVER by_key AS place, lead(1) OVER by_key AS more
    FROM ONLY {table} AS t
    WHERE t.{column} < %(cutoff)s::{type} AND NOT {held}
    WINDOW by_key AS (ORDER BY {keys})
) AS d
WHERE d.place %% %(rows)s::bigint = 0 OR d.more IS NULL
ORDER BY d.place
