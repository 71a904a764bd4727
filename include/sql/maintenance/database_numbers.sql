-- One row is the database. size_bytes: bytes; invalid_indexes: those that nobody is building at this moment.
SELECT pg_database_size(current_database())::float8 AS size_bytes,
       (SELECT count(*) FROM pg_index AS i
        WHERE NOT i.indisvalid
          AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index AS p
                          WHERE p.datname = current_database() AND p.relid = i.indrelid)
          AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = i.indexrelid AND c.relkind = 'I')) AS invalid_indexes
