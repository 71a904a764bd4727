-- One row is a row of the table as JSON on one line. A line break is no part of a JSON string.
SELECT translate(row_to_json(t.*)::text, chr(10) || chr(13), '  ') FROM ONLY {table} AS t
