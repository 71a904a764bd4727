-- One row is the last of the next %(rows)s rows of the table, old or not, in the order of the key, by its key as text; none
-- when fewer are left. Nothing is locked, and of a vacuumed table the index alone is read.
SELECT {keys_as_text}
FROM ONLY {table} AS t
WHERE {after}
ORDER BY {keys}
OFFSET %(rows)s::bigint - 1
LIMIT 1
