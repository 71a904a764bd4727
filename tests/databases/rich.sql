-- A database with one of everything that pg_dump writes statements for, names and texts as hard to quote as can be.
CREATE SCHEMA extensions;
CREATE EXTENSION pg_trgm SCHEMA extensions;
CREATE EXTENSION pg_stat_statements;
CREATE SCHEMA "Bad ""schema""; \! touch x";
CREATE TYPE mood AS ENUM ('it''s', 'so;so', 'a\b');
CREATE TYPE pair AS (a integer, b text);
CREATE DOMAIN positive AS integer CHECK (VALUE > 0);
CREATE COLLATION german (provider = libc, locale = 'C');
CREATE TABLE "Bad ""schema""; \! touch x"."Ta'ble
with lines" (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "a;b" text DEFAULT E'x\\y''z;' NOT NULL,
    feeling mood DEFAULT 'so;so',
    doubled integer GENERATED ALWAYS AS (length("a;b") * 2) STORED,
    CONSTRAINT "check;it" CHECK ("a;b" ~ E'^[^\\n]*$' OR "a;b" <> '$$;')
);
INSERT INTO "Bad ""schema""; \! touch x"."Ta'ble
with lines" ("a;b") VALUES ('plain'), ('it''s; "x"'), (E'tab\t and \\. and \\\\.'), ('\.'), ('$$ $x$ -- /*');
CREATE TABLE events (at timestamptz NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_old PARTITION OF events FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE events_new PARTITION OF events DEFAULT;
CREATE INDEX ON events (at);
INSERT INTO events SELECT timestamptz '2025-12-31' + n * interval '1 hour', 'x' FROM generate_series(1, 200) AS n;
CREATE TABLE parent (id bigserial PRIMARY KEY, body text COLLATE german);
CREATE TABLE child (parent_id bigint REFERENCES parent ON DELETE CASCADE, extra positive, both_ pair) INHERITS (parent);
INSERT INTO parent (body) SELECT 'row ' || n FROM generate_series(1, 500) AS n;
CREATE INDEX parent_trgm ON parent USING gin (body extensions.gin_trgm_ops);
CREATE UNIQUE INDEX parent_lower ON parent (lower(body)) WHERE id > 3;
CREATE STATISTICS some_statistics (dependencies) ON id, body FROM parent;
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $_$
BEGIN
    -- it's; \! nothing
    EXECUTE $$SELECT 1;$$;
    RETURN NEW;
END
$_$;
CREATE FUNCTION total(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql
    BEGIN ATOMIC SELECT CASE WHEN a > b THEN a ELSE b END; SELECT a + b; END;
CREATE PROCEDURE nothing() LANGUAGE sql AS 'SELECT 1;';
CREATE AGGREGATE summed (integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0');
CREATE OPERATOR ##@ (LEFTARG = integer, RIGHTARG = integer, FUNCTION = total);
CREATE CAST (pair AS text) WITH INOUT;
CREATE TRIGGER touch BEFORE UPDATE ON parent FOR EACH ROW EXECUTE FUNCTION touched();
CREATE VIEW seen AS SELECT id, body || ';' AS body FROM parent;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) AS n FROM parent;
CREATE UNIQUE INDEX counted_n ON counted (n);
CREATE RULE no_delete AS ON DELETE TO child DO INSTEAD (SELECT 1; SELECT 2);
CREATE TABLE secured (id integer, owner text);
ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON secured USING (owner = CURRENT_USER);
INSERT INTO secured SELECT n, 'nobody' FROM generate_series(1, 300) AS n;
CREATE TABLE empty_one ();
CREATE UNLOGGED TABLE quick (a integer);
ALTER TABLE parent CLUSTER ON parent_pkey, REPLICA IDENTITY FULL, ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE TEXT SEARCH CONFIGURATION plain (COPY = simple);
CREATE SEQUENCE falling INCREMENT -1 MINVALUE -100 MAXVALUE -1;
SELECT nextval('falling'), lo_from_bytea(0, '\x0102'), lo_from_bytea(0, convert_to('it''s; \.', 'UTF8'));
CREATE PUBLICATION changes FOR TABLE parent;
CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER watcher ON ddl_command_start EXECUTE FUNCTION on_ddl();
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host 'nowhere.invalid', dbname 'x');
CREATE USER MAPPING FOR docrag_monitor SERVER far;
CREATE FOREIGN TABLE far_rows (id integer OPTIONS (column_name 'n') NOT NULL, body text CHECK (body <> ')'))
    SERVER far OPTIONS (table_name 'a;b');
ALTER FOREIGN TABLE far_rows ADD CONSTRAINT long CHECK (length(body) > 1) NOT VALID;
COMMENT ON FOREIGN TABLE far_rows IS 'elsewhere';
COMMENT ON COLUMN far_rows.id IS 'there it is n';
CREATE VIEW far_seen AS SELECT id FROM far_rows;
CREATE VIEW grouped AS SELECT id, body, count(*) FROM parent GROUP BY id;
CREATE VIEW of_grouped AS SELECT id FROM grouped;
CREATE TABLE forced (id integer, owner text);
ALTER TABLE forced ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY some_rows ON forced AS RESTRICTIVE FOR SELECT TO docrag_monitor, docrag USING (owner <> ' TO USING');
CREATE POLICY more ON forced TO docrag WITH CHECK (true);
INSERT INTO forced SELECT n, 'x' FROM generate_series(1, 300) AS n;
ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 1000) NOT VALID;
CREATE TABLE hen (id integer PRIMARY KEY, egg integer);
CREATE TABLE egg (id integer PRIMARY KEY, hen integer REFERENCES hen DEFERRABLE INITIALLY DEFERRED);
INSERT INTO hen VALUES (1, 1);
INSERT INTO egg VALUES (1, 1);
ALTER TABLE hen ADD FOREIGN KEY (egg) REFERENCES egg, ADD CONSTRAINT later CHECK (id < 9) NOT VALID;
CREATE TABLE traps (id serial, body text);
INSERT INTO traps (body) VALUES ('\connect postgres'), ('\! touch x'), ('CREATE DATABASE evil;'), (E'a\n\\.\nb\r\nc'),
    ('-- PostgreSQL database dump complete'), (E'\n--\n-- PostgreSQL database dump\n--\n\\i x\n'), (''), (NULL), (E'\x01é€😀');
CREATE FUNCTION trap(a integer) RETURNS text LANGUAGE plpgsql AS $fun$
BEGIN -- PostgreSQL database dump complete
    RETURN $q$CREATE DATABASE x; \connect y
\! touch z
$q$ || 'ALTER ROLE postgres SUPERUSER;' || $$\.$$;
END
$fun$;
COMMENT ON SCHEMA public IS 'ours';
COMMENT ON TABLE parent IS E'it''s; \\! and $$\nlines';
COMMENT ON COLUMN parent.body IS 'a; b';
GRANT SELECT ON parent TO docrag_monitor;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO docrag_monitor;
ANALYZE;
CREATE FOREIGN TABLE far_events PARTITION OF events FOR VALUES FROM ('2030-01-01') TO ('2030-02-01') SERVER far;
