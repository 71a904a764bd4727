-- One row is a B-tree, read as a whole by pgstattuple. *_pages: pages of page_bytes; leaf_density: percent.
-- Source: https://www.postgresql.org/docs/current/pgstattuple.html
SELECT leaf_pages::float8 AS leaf_pages, internal_pages::float8 AS internal_pages,
       (empty_pages + deleted_pages)::float8 AS empty_pages,
       avg_leaf_density AS leaf_density, index_size::float8 AS size_bytes,
       current_setting('block_size')::float8 AS page_bytes
FROM {schema}.pgstatindex(%(oid)s::oid::regclass)
