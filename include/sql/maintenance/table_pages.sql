-- One row is the table %(oid)s. pages: of its main file.
SELECT pg_relation_size(%(oid)s::oid::regclass) / current_setting('block_size')::bigint AS pages
