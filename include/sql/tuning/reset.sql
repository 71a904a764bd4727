-- Deletes a setting from postgresql.auto.conf: the other files, or the default, count again.
ALTER SYSTEM RESET {name}
