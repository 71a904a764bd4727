-- Drops a detached partition. What depends on it (a view, a foreign key) keeps it there.
DROP TABLE {table}
