-- Added to a DELETE: one row is a deleted row as JSON on one line. A line break is no part of a JSON string.
RETURNING translate(row_to_json(gone.*)::text, chr(10) || chr(13), '  ')
