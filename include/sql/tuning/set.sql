-- Writes a setting into postgresql.auto.conf; it takes effect when the files are read again.
ALTER SYSTEM SET {name} TO {value}
