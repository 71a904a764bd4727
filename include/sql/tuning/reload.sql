-- One row: the configuration files are read again by all processes, a moment later.
SELECT pg_reload_conf() AS sent
