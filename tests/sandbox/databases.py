"""Roles, databases and rows in the PostgreSQL servers."""

import hashlib
from pathlib import Path

from psycopg import sql

from tests.sandbox import postgres_servers
from tests.sandbox.passwords import passwords
from tests.sandbox.postgres_servers import AIRFLOW_DB, MAINTAINED, Connection
from tests.sandbox.settings import PACKAGE, Settings


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
    postgres_servers.start(settings, AIRFLOW_DB)
    known = passwords(settings)
    with postgres_servers.superuser(settings, AIRFLOW_DB) as connection:
        for name in ("airflow", "docrag_history"):
            ensure_role(connection, name, known[name])
            if not has_database(connection, name):
                connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
            connection.execute(
                sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
            )


def start_maintained(settings: Settings) -> None:
    """The server under maintenance, with its roles and the database docrag and its rows."""
    postgres_servers.start(settings, MAINTAINED)
    known = passwords(settings)
    with postgres_servers.superuser(settings, MAINTAINED) as connection:
        for role in ("docrag", "docrag_monitor", "docrag_maintenance"):
            ensure_role(connection, role, known[role])
        connection.execute("GRANT pg_monitor TO docrag_monitor")
        connection.execute("GRANT docrag TO docrag_maintenance")
        connection.execute((PACKAGE / "sql" / "tuning.sql").read_text())
        if _shape_of_docrag(connection) != _wanted_shape(settings):
            _build_docrag(settings, connection)


def _build_docrag(settings: Settings, connection: Connection) -> None:
    """Fill a database under another name, then rename it: a half-filled one is never taken for whole."""
    connection.execute("DROP DATABASE IF EXISTS docrag_partial WITH (FORCE)")
    connection.execute("CREATE DATABASE docrag_partial OWNER docrag")
    with postgres_servers.superuser(settings, MAINTAINED, "docrag_partial") as building:
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
