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
COMMENT ON TABLE parent IS E'it''s; \\! and $$\nlines';
COMMENT ON COLUMN parent.body IS 'a; b';
GRANT SELECT ON parent TO docrag_monitor;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO docrag_monitor;
ANALYZE;
