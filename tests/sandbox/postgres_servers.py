"""The three PostgreSQL servers: under maintenance, scratch, and Airflow's own with the history."""

import dataclasses
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from tests.sandbox import processes
from tests.sandbox.errors import SandboxError
from tests.sandbox.passwords import passwords
from tests.sandbox.programs import postgres_program
from tests.sandbox.settings import Settings

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
        "shared_buffers = 256MB",  # as postgres-config in manifests/ has it; all tables fit
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
    return processes.stop(settings, server.name, how=signal.SIGINT, patience_seconds=120)


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
