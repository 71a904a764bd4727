-- One row is the database that is asked, and the server that it is on (source: pg_control_system, pg_database).
SELECT c.system_identifier::text AS system_identifier,
       current_setting('server_version_num')::integer / 10000 AS major,
       pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, d.datctype AS ctype
FROM pg_control_system() AS c, pg_database AS d
WHERE d.datname = current_database()
