-- Takes the detached table for ourselves, so that it is dropped as it was exported.
LOCK TABLE ONLY {table} IN ACCESS EXCLUSIVE MODE
