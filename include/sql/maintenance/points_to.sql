-- A condition: whether a row of {table} points to the row t.
EXISTS (SELECT FROM {table} AS r WHERE {match})
