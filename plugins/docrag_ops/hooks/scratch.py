"""The scratch server: a database of our own for each restore, and nothing left of it afterwards.

A database is restored into by a login role that was made for it and owns nothing else; both have the same name. While
a restore runs, its session holds an advisory lock of that name; what is not locked was left by a killed run.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.errors import CouldNotMeasureError, UnreachableError
from docrag_ops.hooks.scratch_database import CONNECT_SECONDS, SSL, ScratchDatabase, add_extensions, create

if TYPE_CHECKING:
    from psycopg import Connection

PREFIX = "docrag_drill_"
OURS = r"^docrag_drill_[0-9]{14}_[0-9a-f]{8}$"
ADMIN_SECONDS = 600
SETTLE_SECONDS = 3
LOCK = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"
UNLOCK = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"
LEFT = (
    "SELECT datname FROM pg_database WHERE datname ~ %s UNION SELECT rolname FROM pg_roles WHERE rolname ~ %s"
)


class ScratchHook(BaseHook):
    """Makes and drops scratch databases by the Connection `docrag_postgres_scratch`: CREATEDB and CREATEROLE, and a
    superuser where the live database has extensions that are not trusted."""

    def __init__(self, conn_id: str = "docrag_postgres_scratch") -> None:
        super().__init__()
        self.conn_id = conn_id

    @contextmanager
    def database(
        self, *, encoding: str, collate: str, ctype: str, extensions: Sequence[Mapping[str, Any]], tables: str
    ) -> Iterator[ScratchDatabase]:
        """A new, empty database with the live one's encoding, locale and extensions; dropped whatever happens.

        :param extensions: rows with name and schema
        :param tables: a query for the tables that belong to extensions
        :raises CouldNotMeasureError: when it cannot be made.
        """
        name = f"{PREFIX}{datetime.now(UTC):%Y%m%d%H%M%S}_{secrets.token_hex(4)}"
        password = secrets.token_urlsafe(24)
        with self.session() as holder:
            holder.execute(LOCK, [name])
            try:
                with _explained(
                    f"the scratch server ({self.conn_id}) cannot have a database for the restore"
                ):
                    create(holder, name, password, encoding, collate, ctype)
                    with self.session(name) as inside:
                        add_extensions(inside, name, extensions, tables)
                yield self._described(name, password)
            finally:
                self.drop(name)

    def drop(self, name: str) -> None:
        """Drop a database of ours and its role, over a session of its own: the one that made it may be gone."""
        from psycopg import sql

        with (
            self.session() as session,
            _explained(f"{name} on the scratch server ({self.conn_id}) was not dropped"),
        ):
            session.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            session.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))

    def sweep(self) -> tuple[list[str], list[str]]:
        """Drop what killed runs left; returns what was dropped, and what belongs to a restore that runs now."""
        dropped, running = [], []
        with self.session() as session:
            for (name,) in session.execute(LEFT, [OURS, OURS]).fetchall():
                if _is_free(session, name):
                    self.drop(name)
                    session.execute(UNLOCK, [name])
                    dropped.append(name)
                else:
                    running.append(name)
        return sorted(set(dropped)), sorted(set(running))

    def row(self, query: str) -> dict[str, Any]:
        """The first row of a question to the scratch server."""
        from psycopg.rows import dict_row

        with self.session() as session, _explained(f"the scratch server ({self.conn_id})"):
            found = session.cursor(row_factory=dict_row).execute(query.encode(), {}).fetchone()
        return found or {}

    @contextmanager
    def session(self, database: str = "") -> Iterator[Connection[Any]]:
        """A session of the Connection's own role, each statement on its own.

        :raises UnreachableError: when the server takes none.
        """
        import psycopg
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        connection = self.get_connection(self.conn_id)
        if database:
            connection.schema = database
        limits = {"connect_timeout": CONNECT_SECONDS, "application_name": "docrag-ops"}
        connection.extra = json.dumps({**limits, **connection.extra_dejson})
        options = f"-c statement_timeout={ADMIN_SECONDS}s -c lock_timeout=60s"
        try:
            opened = cast("Connection[Any]", PostgresHook(connection=connection, options=options).get_conn())
        except psycopg.Error as error:
            raise UnreachableError(
                f"The scratch server at {connection.host}:{connection.port or 5432} ({self.conn_id}) takes no "
                f"connection: {_text(error)}"
            ) from error
        with opened:
            opened.autocommit = True
            yield opened

    def _described(self, name: str, password: str) -> ScratchDatabase:
        connection = self.get_connection(self.conn_id)
        extra = connection.extra_dejson
        return ScratchDatabase(
            name=name,
            password=password,
            host=connection.host or "",
            port=connection.port or 5432,
            ssl={key: str(extra[key]) for key in SSL if extra.get(key)},
        )


def _is_free(session: Connection[Any], name: str) -> bool:
    """Take a name's lock; a moment is given to the server to see that a killed restore's session is gone."""
    import psycopg

    session.execute(f"SET lock_timeout = '{SETTLE_SECONDS}s'".encode())
    try:
        session.execute(LOCK, [name])
    except psycopg.errors.LockNotAvailable:
        return False
    return True


@contextmanager
def _explained(what: str) -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise CouldNotMeasureError(f"{what}: {_text(error)}") from error


def _text(error: Exception) -> str:
    return " ".join(str(error).split())
