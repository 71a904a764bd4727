-- One row is a row that may go, by its key as text, in the order of the key; nothing is locked.
SELECT {keys_as_text}
FROM ONLY {table} AS t
WHERE {after} AND t.{column} < %(cutoff)s::{type} AND {free}
ORDER BY {keys}
LIMIT %(rows)s
