"""The PostgreSQL server under maintenance, read with time limits."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk.bases.hook import BaseHook

from docrag_ops.core.errors import ChangeError, CouldNotMeasureError, UnreachableError

if TYPE_CHECKING:
    from airflow.sdk import Connection as AirflowConnection
    from psycopg import Connection
    from psycopg.sql import Composed

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 15
LOCK_SECONDS = 2
IDLE_END_SINCE = 140_000
NO_IDLE_END = b"SET idle_session_timeout = 0"
"""A role's own limit would end a session that waits for another one."""
_OPTIONS = (
    f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s "
    "-c idle_in_transaction_session_timeout=60s -c timezone=UTC -c datestyle=ISO"
)


class DatabaseHook(BaseHook):
    """Asks PostgreSQL by the Connection `docrag_postgres`, through the provider's PostgresHook."""

    def __init__(self, conn_id: str = "docrag_postgres") -> None:
        super().__init__()
        self.conn_id = conn_id

    @cached_property
    def _asked(self) -> AirflowConnection:
        """The Connection, asked for once: each time is a call of Airflow's API."""
        return self.get_connection(self.conn_id)

    @contextmanager
    def session(self) -> Iterator[DatabaseSession]:
        """A session for several questions.

        :raises UnreachableError: refused, no connection left, wrong credentials, or no answer in time.
        """
        with self.opened(_OPTIONS) as (connection, where):
            yield DatabaseSession(connection, where)

    @contextmanager
    def opened(
        self, options: str, *, application: str = "docrag-ops"
    ) -> Iterator[tuple[Connection[Any], str]]:
        """An open connection in autocommit with these settings of the server, and where it leads to.

        :raises UnreachableError: as `session`
        """
        import psycopg
        from airflow.providers.postgres.hooks.postgres import PostgresHook

        connection = copy(self._asked)
        limits = {
            "connect_timeout": CONNECT_SECONDS,
            "application_name": application,
            "client_encoding": "UTF8",  # of a database in SQL_ASCII, psycopg would give bytes
        }
        connection.extra = json.dumps({**limits, **connection.extra_dejson})
        where = f"PostgreSQL at {connection.host}:{connection.port or 5432} ({self.conn_id})"
        try:
            opened = cast("Connection[Any]", PostgresHook(connection=connection, options=options).get_conn())
        except psycopg.Error as error:
            raise UnreachableError(f"{where} takes no connection: {_text(error)}") from error
        with opened:
            opened.autocommit = True
            if opened.info.server_version >= IDLE_END_SINCE:
                opened.execute(NO_IDLE_END)
            yield opened, where


class DatabaseSession:
    """Questions over one open connection, each a transaction of its own.

    They end by themselves (autocommit): rolling each back would show in the server's own count of rollbacks.
    """

    def __init__(self, connection: Connection[Any], where: str) -> None:
        self._connection = connection
        self._where = where

    def rows(self, query: str, parameters: Mapping[str, object], *, name: str) -> list[dict[str, Any]]:
        """The rows of a query, by column name.

        :raises CouldNotMeasureError: as `ask`
        """
        return self.ask(query.encode(), parameters, name=name)

    def ask(
        self, query: bytes | Composed, parameters: Mapping[str, object], *, name: str
    ) -> list[dict[str, Any]]:
        """The same of a query that was put together, with identifiers in it.

        :raises CouldNotMeasureError: naming the query file; one query's failure does not touch the next.
        """
        import psycopg
        from psycopg.rows import dict_row

        try:
            with self._connection.cursor(row_factory=dict_row) as cursor:
                cursor.execute(query, parameters)
                return cursor.fetchall() if cursor.description else []
        except psycopg.Error as error:
            raise CouldNotMeasureError(f"{self._where}, include/sql/{name}: {_text(error)}") from error

    def try_write(self, statement: str, *, name: str) -> str:
        """Run a statement that writes, and roll it back; the text says why it was refused, empty when it was not.

        :raises CouldNotMeasureError: when the role lacks the right to, which says nothing about the server.
        """
        import psycopg

        try:
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(statement.encode())
        except psycopg.errors.InsufficientPrivilege as error:
            raise CouldNotMeasureError(f"{self._where}, include/sql/{name}: {_text(error)}") from error
        except psycopg.Error as error:
            return f"{self._where}, include/sql/{name}: {_text(error)}"
        return ""

    def change(self, statement: Composed) -> None:
        """Run a statement that changes the server, by itself: ALTER SYSTEM takes no transaction.

        :raises ChangeError: in PostgreSQL's words
        """
        import psycopg

        try:
            self._connection.execute(statement)
        except psycopg.Error as error:
            text = statement.as_string(self._connection)
            raise ChangeError(f"{self._where}, {text}: {_text(error)}") from error

    @property
    def server_version(self) -> int:
        """Such as 150018 for 15.18."""
        return self._connection.info.server_version


def _text(error: Exception) -> str:
    return " ".join(str(error).split())
