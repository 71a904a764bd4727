-- Added to the condition of a statement about the rows t: whether a row of {table} points to one of them.
EXISTS (SELECT FROM {table} AS r WHERE {match})
