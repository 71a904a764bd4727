-- One row is the database. value: bytes.
SELECT current_database() AS subject,
       pg_database_size(current_database())::float8 AS value,
       pg_size_pretty(pg_database_size(current_database())) AS size
