"""Real PostgreSQL servers with few rows: the one under maintenance, and the one that keeps the history.

A database of the first has names that nobody would choose; every query has to get through it unharmed.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.include import IncludeFolder
from tests.databases.maintenance import World
from tests.databases.storage import Storage
from tests.sandbox import connections, databases, demo, lifecycle, postgres_servers
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import MAINTAINED, address, superuser
from tests.sandbox.settings import Settings
from tests.sandbox.small_sandbox import small_settings

HOSTILE_DATABASE = 'He said "it\'s 100%"\n%s; DROP DATABASE docrag; --'
HOSTILE_SCHEMA = 'Bad "schema" %(x)s'
HOSTILE_TABLE = "Ta'ble\nwith <b>lines</b> 50%"
HOSTILE_APPLICATION = 'app "quoted" it\'s 10% <i>'
TABLES = """
CREATE SCHEMA {schema};
CREATE TABLE {schema}.{table} (id serial PRIMARY KEY, body text, other smallint);
INSERT INTO {schema}.{table} (body) SELECT 'row' FROM generate_series(1, 2000);
SELECT setval(pg_get_serial_sequence('{literal}', 'id'), 2100000000);
CREATE SCHEMA private;
REVOKE ALL ON SCHEMA private FROM PUBLIC;
CREATE SEQUENCE private.hidden;
CREATE SEQUENCE public.wide MINVALUE -9223372036854775808 START 0;
CREATE SEQUENCE public.falling INCREMENT -1 MINVALUE -100 MAXVALUE -1;
CREATE SEQUENCE public.cycling MAXVALUE 10 CYCLE;
CREATE SEQUENCE public.unused;
SELECT nextval('public.wide'), setval('public.falling', -96), setval('public.cycling', 9);
GRANT USAGE ON SCHEMA {schema} TO docrag_monitor;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema}, public TO docrag_monitor;
ANALYZE;
"""

_NUMBERS = count(1)
# Autovacuum is off for the table: what it would do meanwhile would be no fault of the maintenance.
OLD_SESSIONS = """
CREATE SCHEMA {schema};
CREATE TABLE {sessions} (
    "Key %s" uuid NOT NULL, part int NOT NULL, "Last ""seen"" %" timestamptz, body text,
    PRIMARY KEY ("Key %s", part)) WITH (autovacuum_enabled = off);
INSERT INTO {sessions}
SELECT md5(n::text)::uuid, n, now() + (0.5 - n) * interval '1 hour', repeat('x', 100)
FROM generate_series(1, 3000) AS n;
CREATE INDEX "Odd index %s" ON {sessions} (body, part);
ANALYZE {sessions};
"""

Ask = Callable[[str], list[dict[str, Any]]]
Session = Callable[..., AbstractContextManager[psycopg.Connection[Any]]]


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    settings = small_settings(tmp_path_factory.mktemp("databases"))
    lifecycle.prepare_folders(settings)
    try:
        databases.start_maintained(settings)
        databases.start_airflow_db(settings)
        connections.write(settings)
        demo.migrate_history(settings)
        yield settings
    finally:
        lifecycle.down(settings, lambda _: None, with_data=True)


@pytest.fixture(scope="session")
def hostile(servers: Settings) -> str:
    """A database whose own name and everything in it is as hard to quote as can be."""
    with superuser(servers, MAINTAINED) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(HOSTILE_DATABASE)))
    with superuser(servers, MAINTAINED, HOSTILE_DATABASE) as connection:
        qualified = sql.SQL("{}.{}").format(sql.Identifier(HOSTILE_SCHEMA), sql.Identifier(HOSTILE_TABLE))
        text = TABLES.replace("'{literal}'", "{literal}")
        connection.execute(
            sql.SQL(text).format(
                schema=sql.Identifier(HOSTILE_SCHEMA),
                table=sql.Identifier(HOSTILE_TABLE),
                literal=sql.Literal(qualified.as_string(connection)),
            )
        )
        connection.execute("CREATE EXTENSION pg_stat_statements")
    return HOSTILE_DATABASE


@pytest.fixture
def connect_to(servers: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Point the Connections at a database of these servers."""

    def point(database: str, **changes: Any) -> None:
        known = connections.connections(servers)
        for conn_id in ("docrag_postgres", "docrag_postgres_change"):
            postgres = {**known[conn_id], "schema": database, **changes}
            monkeypatch.setenv(f"AIRFLOW_CONN_{conn_id.upper()}", json.dumps(postgres))
        monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_HISTORY", json.dumps(known["docrag_history"]))

    point("docrag")
    return point


@pytest.fixture(scope="session")
def scratch(servers: Settings) -> Settings:
    """The same servers, and the one that restores go to."""
    postgres_servers.start(servers, postgres_servers.SCRATCH)
    return servers


@pytest.fixture
def storage(
    scratch: Settings, connect_to: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Storage:
    """An empty storage of backups, in place of the sandbox's."""
    known = connections.connections(scratch)
    backups = {"conn_type": "fs", "extra": {"path": str(tmp_path)}}
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_BACKUPS", json.dumps(backups))
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_POSTGRES_SCRATCH", json.dumps(known["docrag_postgres_scratch"]))
    return Storage(tmp_path, scratch)


@pytest.fixture
def ask(hostile: str, connect_to: Callable[..., None]) -> Ask:
    """The rows of a query below include/sql/postgres/, asked by the monitoring role in the hostile database."""
    connect_to(hostile)
    include = IncludeFolder()

    def rows(name: str) -> list[dict[str, Any]]:
        path = f"postgres/{name}.sql"
        with DatabaseHook().session() as session:
            parameters = {"expected_long_transactions": ["pg_dump"]}
            return session.rows(include.query("sql", path), parameters, name=path)

    return rows


@pytest.fixture
def session(servers: Settings) -> Session:
    """A session of Doc-RAG's own, in the hostile database or another one."""

    @contextmanager
    def opened(
        database: str = HOSTILE_DATABASE, application: str = HOSTILE_APPLICATION, role: str = "postgres"
    ) -> Iterator[psycopg.Connection[Any]]:
        where = address(servers, MAINTAINED, role, passwords(servers)[role], database)
        with psycopg.connect(**{**where, "application_name": application}) as connection:
            yield connection
            connection.rollback()

    return opened


def failure_of(action: Callable[[], object]) -> str:
    """The text of the error that an action ends with."""
    with pytest.raises(CouldNotMeasureError) as caught:
        action()
    return str(caught.value)


@pytest.fixture
def world(
    servers: Settings, connect_to: Callable[..., None], request: pytest.FixtureRequest
) -> Iterator[World]:
    """A new database for the maintenance: one table, of rows up to 125 days old, whose names are hard to quote."""
    world = World(servers, request.node.name, database=f"maintained_{next(_NUMBERS)}")
    connect_to(world.database)
    with superuser(servers, MAINTAINED) as connection:
        name = sql.Identifier(world.database)
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER docrag").format(name))
    with world.superuser() as connection:
        connection.execute("CREATE EXTENSION pgstattuple")
        connection.execute("GRANT CREATE ON SCHEMA public TO docrag")
    world.make(OLD_SESSIONS)
    yield world
    with superuser(servers, MAINTAINED) as connection:  # a server with many databases vacuums all the time
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
