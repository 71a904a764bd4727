"""Restores go to the scratch server only, touch nothing else there, and leave nothing behind."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from docrag_ops.operators.drill import RestoreDrill
from tests.databases.storage import packed, pg_dump, pg_dumpall
from tests.sandbox import connections
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import MAINTAINED, SCRATCH, superuser
from tests.sandbox.settings import REPOSITORY, Settings

pytestmark = pytest.mark.sandbox
CATALOG = """
SELECT 'database', oid::text, datname, datconnlimit::text, datacl::text FROM pg_database
UNION ALL SELECT 'role', oid::text, rolname, rolcanlogin::text, rolpassword FROM pg_authid
UNION ALL SELECT 'setting', setdatabase::text, setrole::text, setconfig::text, '' FROM pg_db_role_setting
"""
OURS = """
SELECT datname FROM pg_database WHERE datname LIKE 'docrag_drill%'
UNION ALL SELECT rolname FROM pg_roles WHERE rolname LIKE 'docrag_drill%'
"""
SLOW = """
CREATE TABLE public.slow (n integer CHECK (pg_sleep(60) IS NOT NULL));
INSERT INTO public.slow VALUES (1);
"""
HANGING = """
import sys, time
from docrag_ops.operators import drill
def hang(*_):
    print("restoring", flush=True)
    time.sleep(120)
drill.run_sql = hang
from pathlib import Path
from tests.databases.storage import Storage
from tests.sandbox.settings import load_settings
Storage(Path(sys.argv[1]), load_settings()).found("restores", "plain")
"""


@pytest.fixture(scope="module")
def dump(scratch: Settings) -> str:
    return pg_dump(scratch).decode()


@pytest.fixture(scope="module")
def others(scratch: Settings) -> Iterator[tuple[str, ...]]:
    """Databases of other people on the scratch server, one of them named as the live one."""
    names = ("docrag", "theirs")
    with superuser(scratch, SCRATCH) as session:
        for name in names:
            session.execute(f"CREATE DATABASE {name}")
            with superuser(scratch, SCRATCH, name) as inside:
                inside.execute("CREATE TABLE kept AS SELECT 42 AS n")
        yield names
        for name in names:
            session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@pytest.fixture
def bystanders(scratch: Settings, others: tuple[str, ...]) -> Iterator[None]:
    """Everything else on the scratch server is as before at the end of the test."""
    before = catalog(scratch)
    yield
    assert catalog(scratch) == before
    for name in others:
        with superuser(scratch, SCRATCH, name) as inside:
            assert inside.execute("SELECT n FROM kept").fetchall() == [(42,)]


def catalog(scratch: Settings) -> list[tuple[Any, ...]]:
    with superuser(scratch, SCRATCH) as session:
        return sorted(session.execute(CATALOG).fetchall(), key=str)


def names_of_ours(scratch: Settings) -> list[str]:
    with superuser(scratch, SCRATCH) as session:
        return [name for (name,) in session.execute(OURS).fetchall()]


def test_restore_leaves_nothing(storage, scratch, dump, bystanders):
    storage.put("plain", packed(dump.encode()))
    assert storage.verdicts("restores", "plain") == {}
    assert storage.verdicts("scratch", "plain") == {}
    assert names_of_ours(scratch) == []


@pytest.mark.parametrize("kind", ["custom", "plain"])
def test_dump_with_create_and_clean_touches_no_other_database(storage, scratch, bystanders, kind):
    dump = pg_dump(scratch, f"--format={kind}", "--create", "--clean")
    storage.put(kind, packed(dump) if kind == "plain" else dump)
    found = storage.found("restores", kind)
    said = {one.check: (str(one.verdict), one.evidence) for one in found}
    if kind == "plain":
        assert said.pop("restore_statements")[0] == "warning"
    assert said == {}


def test_restored_dump_says_what_was_left_out(storage, scratch):
    storage.put("plain", packed(pg_dump(scratch, "--create", "--clean")))
    (found,) = storage.found("restores", "plain")
    for words in ("DROP DATABASE docrag", "CREATE DATABASE docrag", r"\connect docrag"):
        assert words in found.evidence


def test_clean_dump_is_restored(storage, scratch):
    storage.put("plain", packed(pg_dump(scratch, "--clean")))
    assert storage.verdicts("restores", "plain") == {}


def test_dump_of_the_whole_server_touches_no_other_database(storage, scratch, bystanders):
    storage.put("plain", packed(pg_dumpall(scratch)))
    found = storage.verdicts("restores", "plain")
    assert (found["restore_statements"], found["restore_done"]) == ("critical", "unknown")
    assert names_of_ours(scratch) == []


@pytest.mark.parametrize(
    "statement",
    [
        "\\! touch {file}",
        "SELECT 1 \\! touch {file}\n;",
        "COPY public.documents FROM PROGRAM 'touch {file}';",
        "COPY public.documents TO PROGRAM 'touch {file}';",
        "COPY public.documents TO '{file}';",
        "\\copy public.documents to program 'touch {file}'",
        "SELECT 'touch {file}' \\g | sh",
        "\\o | touch {file}",
        "\\connect theirs\n\\connect docrag",
        "CREATE ROLE intruder SUPERUSER;",
        "ALTER ROLE postgres PASSWORD 'known';",
        "ALTER SYSTEM SET archive_command = 'touch {file}';",
        "DO $$ BEGIN EXECUTE 'COPY documents TO PROGRAM ''touch {file}'''; END $$;",
        "SET ROLE postgres;",
    ],
)
def test_dump_that_would_do_more_is_not_restored(storage, dump, bystanders, tmp_path, statement):
    file = tmp_path / "made-by-a-dump"
    place = dump.index("CREATE TABLE public.user_sessions")
    storage.put("plain", packed((dump[:place] + statement.format(file=file) + "\n" + dump[place:]).encode()))
    found = storage.verdicts("restores", "plain")
    assert (found["restore_statements"], found["restore_done"]) == ("critical", "unknown")
    assert not file.exists()


def test_restore_on_the_live_server_is_refused(storage, scratch, monkeypatch):
    storage.put("custom", pg_dump(scratch, "--format=custom"))
    known = connections.connections(scratch)
    live = {**known["docrag_postgres"], "login": "postgres", "password": passwords(scratch)["postgres"]}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_POSTGRES_SCRATCH", json.dumps({**live, "schema": "postgres"}))
    found = storage.found("restores", "custom")
    assert {str(one.verdict) for one in found} == {"unknown"}
    assert all("leads to the live server" in one.evidence for one in found)


def test_scratch_server_that_is_down_says_nothing_about_the_backup(storage, scratch, monkeypatch):
    storage.put("custom", pg_dump(scratch, "--format=custom"))
    known = connections.connections(scratch)["docrag_postgres_scratch"]
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_POSTGRES_SCRATCH", json.dumps({**known, "port": 1}))
    assert set(storage.verdicts("restores", "custom").values()) == {"unknown"}


def test_scratch_server_that_ends_a_restore_says_nothing_about_the_backup(
    storage, scratch, dump, monkeypatch
):
    real = RestoreDrill._prove

    def ended(drill: RestoreDrill, found: Any, database: Any) -> None:
        with superuser(scratch, SCRATCH) as session:
            session.execute(f"ALTER ROLE {database.name} NOLOGIN")
        real(drill, found, database)

    monkeypatch.setattr(RestoreDrill, "_prove", ended)
    storage.put("plain", packed(dump.encode()))
    found = {one.check: one for one in storage.found("restores", "plain")}
    assert str(found["restore_done"].verdict) == "unknown"
    assert "is not permitted to log in" in found["restore_done"].evidence
    assert names_of_ours(scratch) == []


def test_error_of_the_dump_is_critical(storage, dump):
    text = dump.replace("ADD CONSTRAINT documents_pkey", "ADD CONSTRAIN documents_pkey")
    storage.put("plain", packed(text.encode()))
    found = {one.check: one for one in storage.found("restores", "plain")}
    assert str(found["restore_done"].verdict) == "critical"
    assert "ERROR 42601: syntax error" in found["restore_done"].evidence


def test_rows_of_a_dump_are_not_in_the_report(storage, dump):
    place = dump.index("COPY public.user_sessions")
    place = dump.index("\n", place) + 1
    storage.put("plain", packed((dump[:place] + "1\tvery-secret\n" + dump[place:]).encode()))
    found = storage.found("restores", "plain")
    assert "ERROR 22P" in str(found)
    assert "very-secret" not in str(found)


def test_restore_that_takes_too_long_says_nothing_about_the_backup(storage, scratch, dump, monkeypatch):
    place = dump.index("SET default_table_access")
    storage.put("plain", packed((dump[:place] + SLOW + dump[place:]).encode()))
    monkeypatch.setattr("docrag_ops.operators.drill.MINUTE_SECONDS", 3)
    found = {one.check: one for one in storage.found("restores", "plain", time_limit_minutes=1)}
    assert str(found["restore_done"].verdict) == "unknown"
    assert "did not end within 3 s" in found["restore_done"].evidence
    assert names_of_ours(scratch) == []


def test_what_a_killed_restore_left_is_swept_and_the_next_is_clean(storage, scratch, dump, tmp_path):
    storage.put("plain", packed(dump.encode()))
    surroundings = {
        **os.environ,
        **scratch.environment(),
        "PYTHONPATH": f"{REPOSITORY / 'plugins'}:{REPOSITORY}",
    }
    command = [sys.executable, "-c", HANGING, str(tmp_path)]
    with subprocess.Popen(
        command, env=surroundings, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as child:
        assert child.stdout is not None
        assert any("restoring" in line for line in child.stdout)
        assert len(names_of_ours(scratch)) == 2
        assert storage.verdicts("scratch", "plain") == {"scratch_left": "warning"}
        child.kill()
    assert storage.verdicts("scratch", "plain") == {}
    assert names_of_ours(scratch) == []
    assert storage.verdicts("restores", "plain") == {}


def test_password_is_in_no_argument_and_no_text(storage, scratch, dump, monkeypatch):
    seen: list[list[str]] = []
    real = subprocess.Popen

    def watched(command: list[str], *rest: Any, **options: Any) -> Any:
        seen.append(list(command))
        return real(command, *rest, **options)

    monkeypatch.setattr(subprocess, "Popen", watched)
    storage.put("plain", packed(dump.encode()))
    asking_found = storage.found("restores", "plain")
    psql = next(command for command in seen if Path(command[0]).name == "psql")
    assert not any("password=" in word or "://" in word for word in psql)
    assert passwords(scratch)["scratch"] not in str((seen, asking_found))


def test_role_that_is_no_superuser_can_do_the_drill(storage, connect_to, scratch, monkeypatch):
    """Where the live database has no extension that only a superuser may add."""
    connect_to("postgres")
    with superuser(scratch, SCRATCH) as session:
        session.execute("CREATE ROLE drill_admin LOGIN CREATEDB CREATEROLE PASSWORD 'drill-admin'")
        known = connections.connections(scratch)["docrag_postgres_scratch"]
        role = {**known, "login": "drill_admin", "password": "drill-admin"}
        monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_POSTGRES_SCRATCH", json.dumps(role))
        try:
            storage.put("plain", packed(pg_dump(scratch, database="postgres")))
            found = storage.found("restores", "plain", database="postgres", appended=None, question=None)
            assert {one.check for one in found} == {"restore_rows"}  # there is no table in it
            assert names_of_ours(scratch) == []
        finally:
            session.execute("DROP ROLE drill_admin")


def test_extension_that_is_missing_on_the_scratch_server_says_nothing_about_the_backup(
    storage, scratch, dump, monkeypatch
):
    real = RestoreDrill._ask_live

    def with_another(drill: RestoreDrill) -> Any:
        return replace(real(drill), extensions=[{"name": "no_such_extension", "schema": "public"}])

    monkeypatch.setattr(RestoreDrill, "_ask_live", with_another)
    storage.put("plain", packed(dump.encode()))
    found = {one.check: one for one in storage.found("restores", "plain")}
    assert str(found["restore_done"].verdict) == "unknown"
    assert "no_such_extension" in found["restore_done"].evidence
    assert names_of_ours(scratch) == []


@pytest.mark.parametrize(("version", "verdict"), [("", "critical"), ("VERSION '1.3'", "unknown")])
def test_type_that_is_missing_is_the_dumps_fault_unless_an_extension_is_of_another_version(
    storage, connect_to, scratch, version, verdict
):
    with superuser(scratch, MAINTAINED) as session:
        session.execute("CREATE DATABASE typed")
        try:
            with superuser(scratch, MAINTAINED, "typed") as inside:
                inside.execute(f"CREATE EXTENSION pg_trgm {version}; CREATE TABLE t (a text); ANALYZE")
            text = pg_dump(scratch, database="typed").replace(b"a text", b"a public.halfvec")
            connect_to("typed")
            storage.put("plain", packed(text))
            found = storage.verdicts("restores", "plain", database="typed", appended=None, question=None)
            assert found["restore_done"] == verdict
        finally:
            session.execute("DROP DATABASE typed WITH (FORCE)")


@pytest.fixture(scope="module")
def rich(scratch: Settings) -> Iterator[str]:
    """A live database with one of everything."""
    with superuser(scratch, MAINTAINED) as session:
        session.execute("CREATE DATABASE rich")
        with superuser(scratch, MAINTAINED, "rich") as inside:
            inside.execute((Path(__file__).parent / "rich.sql").read_text())
        yield "rich"
        session.execute("DROP DATABASE rich WITH (FORCE)")


@pytest.mark.parametrize(
    "options",
    [
        ["--format=custom"],
        ["--clean", "--quote-all-identifiers"],
        ["--column-inserts", "--clean", "--if-exists", "--disable-dollar-quoting"],
    ],
)
def test_database_with_one_of_everything_raises_no_alarm(storage, connect_to, scratch, rich, options):
    connect_to(rich)
    dump = pg_dump(scratch, *options, database=rich)
    kind = "custom" if "--format=custom" in options else "plain"
    storage.put(kind, packed(dump) if kind == "plain" else dump)
    assert storage.found("restores", kind, database=rich, appended=None, question=None) == []


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "EUC_JP"])
def test_database_of_another_encoding_raises_no_alarm(storage, connect_to, scratch, encoding):
    name = f"of_{encoding.lower()}"
    with superuser(scratch, MAINTAINED) as session:
        session.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' LOCALE 'C'")
        try:
            with superuser(scratch, MAINTAINED, name) as inside:
                inside.execute("SET client_encoding = 'UTF8'")
                inside.execute("CREATE TABLE t AS SELECT 'Gruß'::text AS \"é\"; ANALYZE".encode())
            connect_to(name)
            storage.put("custom", pg_dump(scratch, "--format=custom", database=name))
            assert storage.found("restores", "custom", database=name, appended=None, question=None) == []
        finally:
            session.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_dump_without_large_objects_is_found(storage, connect_to, scratch, rich):
    connect_to(rich)
    storage.put("custom", pg_dump(scratch, "--format=custom", "--no-blobs", database=rich))
    found = storage.found("restores", "custom", database=rich, appended=None, question=None)
    assert [(one.check, one.subject) for one in found] == [("restore_rows", "postgres: large objects")]


def test_index_that_needs_a_search_path_is_the_dumps_fault(storage, connect_to, scratch, rich):
    """Its function names a table without a schema: it works live, and in no restore."""
    trap = """
        CREATE TABLE factors (n integer);
        CREATE FUNCTION scaled(integer) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT $1 * count(*) FROM factors';
        CREATE INDEX trap ON parent (scaled(id::integer));
    """
    connect_to(rich)
    with superuser(scratch, MAINTAINED, rich) as session:
        session.execute(trap)
        storage.put("custom", pg_dump(scratch, "--format=custom", database=rich))
        found = storage.found("restores", "custom", database=rich, appended=None, question=None)
        session.execute("DROP INDEX trap; DROP FUNCTION scaled; DROP TABLE factors")
    done = next(one for one in found if one.check == "restore_done")
    assert (str(done.verdict), "42P01" in done.evidence) == ("critical", True)
