-- One row is an index that has one of these names (schema %(schemas)s and name %(names)s, pair by pair) at this moment.
SELECT n.nspname AS schema_name, c.relname AS index_name, c.oid::text AS oid, i.indisvalid AS valid
FROM unnest(%(schemas)s::text[], %(names)s::text[]) AS wanted (schema_name, index_name)
JOIN pg_namespace AS n ON n.nspname = wanted.schema_name
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.index_name
JOIN pg_index AS i ON i.indexrelid = c.oid
