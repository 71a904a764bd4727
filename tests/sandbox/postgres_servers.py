"""The three PostgreSQL servers: under maintenance, scratch, and Airflow's own with the history."""

import dataclasses
import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from tests.sandbox import processes
from tests.sandbox.errors import SandboxError
from tests.sandbox.passwords import passwords
from tests.sandbox.programs import postgres_program
from tests.sandbox.settings import PACKAGE, Settings

Connection = psycopg.Connection[Any]
SYSTEM_USER = "postgres"


@dataclasses.dataclass(frozen=True)
class Server:
    """One PostgreSQL server; `superuser_secret` names its superuser's password."""

    name: str
    port_setting: str
    superuser_secret: str
    options: tuple[str, ...] = ()

    def port(self, settings: Settings) -> int:
        return int(getattr(settings, self.port_setting))

    def folder(self, settings: Settings) -> Path:
        return settings.data_dir / self.name


MAINTAINED = Server(
    "postgres",
    "postgres_port",
    "postgres",
    (
        "shared_preload_libraries = 'pg_stat_statements'",
        "pg_stat_statements.max = 5000",
        "track_io_timing = on",
        "shared_buffers = 64MB",
        "max_wal_size = 512MB",
        "log_lock_waits = on",
        "log_min_duration_statement = 1000",
    ),
)
SCRATCH = Server("scratch", "scratch_port", "scratch", ("shared_buffers = 32MB", "max_connections = 20"))
AIRFLOW_DB = Server("airflow-db", "airflow_db_port", "airflow_db", ("shared_buffers = 64MB",))

COMMON_OPTIONS = (
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",  # so that no socket can be left behind
    "max_connections = 100",
    "autovacuum = on",
    "timezone = 'UTC'",
    "log_timezone = 'UTC'",
    "log_destination = 'stderr'",
    "logging_collector = off",
    "log_line_prefix = '%m [%p] %q%u@%d %a '",
)


def start(settings: Settings, server: Server) -> None:
    """Start a server, making its data folder first when there is none."""
    folder = server.folder(settings)
    if not processes.alive(settings, server.name):
        _make_folder(settings, server)
        _remove_stale_lock(folder)
        options = (f"port = {server.port(settings)}", *COMMON_OPTIONS, *server.options)
        (folder / "sandbox.conf").write_text("\n".join(options) + "\n")
    processes.start(
        settings,
        server.name,
        [postgres_program("postgres"), "-D", str(folder)],
        port=server.port(settings),
        user=SYSTEM_USER,
        cwd=folder,
        ready=lambda: _answers(settings, server),
    )


def stop(settings: Settings, server: Server) -> bool:
    """SIGINT is PostgreSQL's fast shutdown: sessions are ended, data is written."""
    return processes.stop(settings, server.name, how=signal.SIGINT, patience_seconds=20)


@contextmanager
def superuser(settings: Settings, server: Server, database: str = "postgres") -> Iterator[Connection]:
    """A superuser's session, each statement on its own, able to write even when the server says read-only."""
    options = "-c default_transaction_read_only=off"
    if server is MAINTAINED:
        options += " -c pg_stat_statements.track=none"  # what the sandbox itself does is no load of Doc-RAG
    password = passwords(settings)[server.superuser_secret]
    where = address(settings, server, "postgres", password, database)
    with psycopg.connect(**where, options=options, autocommit=True) as connection:
        yield connection


def address(settings: Settings, server: Server, role: str, password: str, database: str) -> dict[str, Any]:
    """What psycopg.connect needs to reach a database."""
    return {
        "host": "127.0.0.1",
        "port": server.port(settings),
        "user": role,
        "password": password,
        "dbname": database,
        "connect_timeout": 5,
        "application_name": "sandbox",
    }


def ensure_role(connection: Connection, role: str, password: str) -> None:
    """A login role with this password; the server gets the verifier only, so no log holds the password."""
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier))
    )


def has_database(connection: Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def start_airflow_db(settings: Settings) -> None:
    """Airflow's server with the databases `airflow` and `docrag_history`, each with an owner of its own."""
    start(settings, AIRFLOW_DB)
    known = passwords(settings)
    with superuser(settings, AIRFLOW_DB) as connection:
        for name in ("airflow", "docrag_history"):
            ensure_role(connection, name, known[name])
            if not has_database(connection, name):
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
            )


def start_maintained(settings: Settings) -> None:
    """The server under maintenance, with its roles and the database docrag and its rows."""
    start(settings, MAINTAINED)
    known = passwords(settings)
    with superuser(settings, MAINTAINED) as connection:
        for role in ("docrag", "docrag_monitor", "docrag_maintenance"):
            ensure_role(connection, role, known[role])
        connection.execute("GRANT pg_monitor TO docrag_monitor")
        connection.execute("GRANT docrag TO docrag_maintenance")
        if _shape_of_docrag(connection) != _wanted_shape(settings):
            _build_docrag(settings, connection)


def _build_docrag(settings: Settings, connection: Connection) -> None:
    """Fill a database under another name, then rename it: a half-filled one is never taken for whole."""
    connection.execute("DROP DATABASE IF EXISTS docrag_partial WITH (FORCE)")
    connection.execute("CREATE DATABASE docrag_partial OWNER docrag")
    with superuser(settings, MAINTAINED, "docrag_partial") as building:
        building.execute("SELECT set_config('sandbox.documents', %s, false)", [str(settings.rows)])
        for file in _sql_files():
            building.execute(file.read_text())
        building.execute("VACUUM (ANALYZE)")
    shape = sql.Literal(_wanted_shape(settings))
    connection.execute(sql.SQL("COMMENT ON DATABASE docrag_partial IS {}").format(shape))
    connection.execute("DROP DATABASE IF EXISTS docrag WITH (FORCE)")
    connection.execute("ALTER DATABASE docrag_partial RENAME TO docrag")


def _shape_of_docrag(connection: Connection) -> str | None:
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'docrag'"
    row = connection.execute(query).fetchone()
    return row[0] if row else None


def _wanted_shape(settings: Settings) -> str:
    """Changes with the number of rows and with the SQL that makes them, so that `up` then builds anew."""
    text = "".join(file.read_text() for file in _sql_files())
    return f"{settings.rows} documents, {hashlib.sha256(text.encode()).hexdigest()[:12]}"


def _sql_files() -> list[Path]:
    return sorted((PACKAGE / "sql").glob("[0-9]*.sql"))


def _make_folder(settings: Settings, server: Server) -> None:
    folder = server.folder(settings)
    if (folder / "PG_VERSION").exists():
        return
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    partial.mkdir(mode=0o700)
    if os.geteuid() == 0:
        shutil.chown(partial, SYSTEM_USER, SYSTEM_USER)
    _initdb(settings, server, partial)
    with (partial / "postgresql.conf").open("a") as file:
        file.write("\ninclude 'sandbox.conf'\n")
    partial.rename(folder)


def _initdb(settings: Settings, server: Server, folder: Path) -> None:
    with tempfile.NamedTemporaryFile("w", prefix="docrag-sandbox-") as file:
        file.write(passwords(settings)[server.superuser_secret])
        file.flush()
        if os.geteuid() == 0:
            shutil.chown(file.name, SYSTEM_USER)
        processes.run(
            settings,
            f"initdb-{server.name}",
            [
                postgres_program("initdb"),
                *("-D", str(folder), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={file.name}"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-sync"),
            ],
            user=SYSTEM_USER,
            cwd=folder,
        )


def _remove_stale_lock(folder: Path) -> None:
    """After a crash postmaster.pid may name a pid that by now belongs to somebody else."""
    lock = folder / "postmaster.pid"
    if not lock.exists():
        return
    pid = lock.read_text().split("\n", 1)[0].strip()
    command = Path(f"/proc/{pid}/cmdline")
    if pid.isdigit() and command.exists() and str(folder).encode() in command.read_bytes():
        raise SandboxError(f"A PostgreSQL server of pid {pid} still runs on {folder}; `down` ends it")
    lock.unlink()


def _answers(settings: Settings, server: Server) -> bool:
    try:
        with superuser(settings, server):
            return True
    except psycopg.OperationalError:
        return False
