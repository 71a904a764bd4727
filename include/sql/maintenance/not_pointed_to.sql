-- Added to the condition of a statement about the rows t: no row of {table} points to one of them. A condition of its own
-- for each foreign key: only so does the server join the tables, and does not search one for each row of the other.
NOT EXISTS (SELECT FROM {table} AS r WHERE {match})
