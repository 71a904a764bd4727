"""What of a dump is run, left out, or a reason not to restore it."""

import pytest

from docrag_ops.core.backups.dump_scan import DumpScan, runnable, scan
from docrag_ops.core.backups.errors import DamagedError, UnreadableError
from docrag_ops.core.backups.sql_text import pieces
from docrag_ops.core.backups.statements import Fate, fate_of

HEAD = b"--\n-- PostgreSQL database dump\n--\n\n\\restrict abc\n\n-- Dumped from database version 15.18 (Debian)\n\n"
END = b"\n--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n"
RUN = [
    "SET statement_timeout = 0;",
    "SET standard_conforming_strings = on;",
    "SELECT pg_catalog.set_config('search_path', '', false);",
    "SELECT pg_catalog.setval('public.documents_id_seq', 400, true);",
    "SELECT pg_catalog.setval('public.falling', -96, true);",
    "SELECT pg_catalog.lo_create('16404');",
    "SELECT pg_catalog.lo_open('16404', 131072);",
    "SELECT pg_catalog.lowrite(0, '\\x6869');",
    "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;",
    "CREATE UNLOGGED TABLE public.t (a integer);",
    "CREATE UNIQUE INDEX i ON public.t USING btree (a);",
    "CREATE OR REPLACE VIEW public.v AS\n SELECT NULL::integer AS id;",
    "CREATE VIEW public.v AS\nSELECT\n    NULL::integer AS id;",
    "CREATE MATERIALIZED VIEW public.m AS SELECT 1 WITH NO DATA;",
    "CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();",
    "CREATE TYPE public.e AS ENUM ('a', 'b');",
    'CREATE TEXT SEARCH CONFIGURATION public.c (PARSER = pg_catalog."default");',
    "ALTER TABLE ONLY public.t ADD CONSTRAINT p PRIMARY KEY (a);",
    "ALTER TABLE ONLY public.t ATTACH PARTITION public.t1 DEFAULT;",
    "ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;",
    "REFRESH MATERIALIZED VIEW public.m;",
    "COMMENT ON TABLE public.t IS 'it''s';",
    'INSERT INTO public."T" VALUES (1);',
    'COPY "My schema"."T" (id, "a b") FROM stdin;\n\\.\n',
    "COPY public.without_columns  FROM stdin;\n\\.\n",
    "BEGIN;",
]
LEFT_OUT = [
    "CREATE SUBSCRIPTION s CONNECTION 'host=live' PUBLICATION p;",
    "CREATE PUBLICATION p FOR ALL TABLES;",
    "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;",
    "CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f();",
    "ALTER TABLE public.t OWNER TO docrag;",
    'ALTER FUNCTION public.f(a text) OWNER TO "Other role";',
    "ALTER LARGE OBJECT 16404 OWNER TO docrag;",
    "GRANT SELECT ON TABLE public.t TO docrag_monitor;",
    "REVOKE ALL ON SCHEMA public FROM PUBLIC;",
    "ALTER DEFAULT PRIVILEGES FOR ROLE docrag IN SCHEMA public GRANT SELECT ON SEQUENCES TO docrag_monitor;",
    "COMMENT ON EXTENSION pg_trgm IS 'text similarity';",
    "COMMENT ON SCHEMA public IS 'standard public schema';",
    "COMMENT ON FOREIGN TABLE public.far IS 'elsewhere';",
    "ALTER FOREIGN TABLE ONLY public.far ALTER COLUMN id OPTIONS (column_name 'n');",
    "ALTER TABLE ONLY public.t FORCE ROW LEVEL SECURITY;",
    "ALTER DOMAIN public.d DROP CONSTRAINT c;",
    "CREATE OR REPLACE VIEW public.v AS\nSELECT\n    NULL::integer AS id;",
    "SET transaction_timeout = 0;",
    "SET default_tablespace = fast;",
    "SET SESSION AUTHORIZATION 'docrag';",
    "DROP TABLE IF EXISTS public.t;",
    "DROP INDEX public.i;",
    "ALTER TABLE IF EXISTS ONLY public.t DROP CONSTRAINT p;",
    "ALTER TABLE public.t ALTER COLUMN id DROP DEFAULT;",
    "\\restrict aBc9",
    "SELECT pg_catalog.lo_unlink('16404');",
    "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '16404';",
]
LEAVES = [
    "DROP DATABASE docrag;",
    "CREATE DATABASE docrag WITH TEMPLATE = template0 ENCODING = 'UTF8';",
    "ALTER DATABASE docrag OWNER TO docrag;",
    "\\connect docrag",
]
REFUSED = [
    "\\! touch x",
    "\\connect docrag \\! touch x",
    "\\i other.sql",
    "\\copy t from program 'x'",
    "COPY public.t FROM PROGRAM 'x';",
    "COPY public.t TO '/tmp/x';",
    "COPY (SELECT 1) TO PROGRAM 'x';",
    "CREATE ROLE r;",
    "CREATE USER r;",
    "ALTER ROLE r SUPERUSER;",
    "DROP ROLE r;",
    "GRANT postgres TO r;",
    "CREATE TABLESPACE t LOCATION '/tmp';",
    "ALTER SYSTEM SET work_mem = '1GB';",
    "SET ROLE postgres;",
    "SET standard_conforming_strings = off;",
    "SET session_replication_role = replica;",
    "DO $$ BEGIN END $$;",
    "SELECT pg_read_file('/etc/passwd');",
    "SELECT pg_catalog.setval('a', 1, true), pg_read_file('x');",
    "SELECT lo_import('/etc/passwd');",
    "LOAD 'x';",
    "UPDATE pg_catalog.pg_database SET datistemplate = false;",
    "DELETE FROM t;",
    "CALL p();",
    "/* a comment */ DO $$ BEGIN END $$;",
]


def fate(text: str) -> Fate:
    return fate_of(next(pieces([text.encode() + b"\n"])))


@pytest.mark.parametrize("statement", RUN)
def test_what_pg_dump_writes_is_run(statement):
    assert fate(statement) is Fate.RUN


@pytest.mark.parametrize("statement", LEFT_OUT)
def test_owners_rights_and_what_reaches_other_systems_are_left_out(statement):
    assert fate(statement) is Fate.LEAVE_OUT


@pytest.mark.parametrize("statement", LEAVES)
def test_what_is_about_the_database_itself_is_left_out_and_said(statement):
    assert fate(statement) is Fate.LEAVES


@pytest.mark.parametrize("statement", REFUSED)
def test_what_no_dump_has_is_refused(statement):
    assert fate(statement) is Fate.REFUSE


def test_whole_dump_is_whole():
    found = scan([HEAD + b"CREATE TABLE t (a integer);\n" + END])
    assert (found.server_major, found.leaves, found.refused) == (15, [], [])


@pytest.mark.parametrize(
    "text",
    [
        HEAD + b"CREATE TABLE t (a integer);\n",
        b"CREATE TABLE t (a integer);\n" + END,
        HEAD + END + b"CREATE TABLE t (a integer);\n",
    ],
    ids=["no end", "no begin", "goes on behind its end"],
)
def test_dump_without_its_comments_is_damaged(text):
    with pytest.raises(DamagedError):
        scan([text])


def test_end_is_the_end_without_the_line_of_newer_versions():
    assert scan([HEAD + END.replace(b"\\unrestrict abc\n", b"")]).is_complete


def test_second_database_in_one_dump_is_refused():
    found = DumpScan()
    for piece in pieces([b"\\connect docrag\n\\connect other\n"]):
        found.see(piece)
    assert found.refused == [r"\connect other"]


def test_nothing_is_given_once_something_is_refused():
    text = runnable([HEAD + b"CREATE TABLE a (a integer);\nDO $$ x $$;\nCREATE TABLE b ();\n" + END])
    assert next(text) == b"CREATE TABLE a (a integer);\n"
    with pytest.raises(UnreadableError):
        next(text)


@pytest.mark.parametrize(
    ("dumped", "run"),
    [
        (
            b"CREATE FOREIGN TABLE public.far (\n    id integer NOT NULL\n)\nSERVER s\nOPTIONS (\n    a 'x'\n);",
            b"CREATE TABLE public.far (\n    id integer NOT NULL\n);",
        ),
        (
            b"CREATE POLICY p ON public.t AS RESTRICTIVE FOR SELECT TO app, \"An; other\" USING ((a = ' TO x'::text));",
            b"CREATE POLICY p ON public.t AS RESTRICTIVE FOR SELECT USING ((a = ' TO x'::text));",
        ),
        (
            b"CREATE POLICY p ON public.t USING ((a = ' TO b USING'::text));",
            b"CREATE POLICY p ON public.t USING ((a = ' TO b USING'::text));",
        ),
    ],
)
def test_server_and_roles_that_the_scratch_server_lacks_are_taken_out(dumped, run):
    assert list(runnable([HEAD + dumped + b"\n" + END])) == [run + b"\n"]


def test_extensions_of_a_dump_are_known():
    text = b'CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public;\nCREATE EXTENSION IF NOT EXISTS vector;\n'
    assert scan([HEAD + text + END]).extensions == {"uuid-ossp", "vector"}


def test_dump_whose_strings_are_read_otherwise_is_not_judged():
    with pytest.raises(UnreadableError, match="standard_conforming_strings"):
        scan([HEAD + b"SET standard_conforming_strings = off;\n" + END])


def test_dump_with_other_line_ends_is_not_judged():
    with pytest.raises(UnreadableError, match="CR LF"):
        scan([(HEAD + END).replace(b"\n", b"\r\n")])


def test_schema_that_an_extension_needed_may_be_there_already():
    assert list(runnable([HEAD + b"CREATE SCHEMA ext;\n" + END])) == [b"CREATE SCHEMA IF NOT EXISTS ext;\n"]
