"""Sessions that change the database under maintenance: gentle, bounded, and known by their name.

Every statement is a transaction of its own unless it is asked for otherwise. What goes wrong is told by what may be
done about it: interrupted (a lock, a restart; try again) or failed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from docrag_ops.core.errors import StepFailedError, StepInterruptedError, UnreachableError
from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.include import IncludeFolder

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import SQL, Composable, Composed, Identifier

READS, CHANGES = "docrag_postgres", "docrag_postgres_change"
COUNTS = "docrag-ops counting"
APPLICATION = "docrag-ops database_maintenance"
RESTART_SECONDS = 30
MOMENT_MS = 10
# What a role's own settings would spoil: long work, the second look at a row that somebody changed, warnings.
_OUR_SETTINGS = {
    "transaction_timeout": "0",  # since PostgreSQL 17
    "default_transaction_isolation": "read committed",
    "client_min_messages": "notice",
}
_SETTLE = """
SELECT set_config(s.name, ours.value, false)
FROM unnest(%(names)s::text[], %(values)s::text[]) AS ours (name, value) JOIN pg_settings AS s USING (name)"""
Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How long a statement may wait for a lock and run, and how gently a vacuum works."""

    lock_seconds: float
    statement_seconds: float
    cost_delay_ms: float = 0

    def options(self) -> str:
        """As settings of a session."""
        return (
            f"-c lock_timeout={int(self.lock_seconds * 1000)} "
            f"-c statement_timeout={int(self.statement_seconds * 1000)} "
            f"-c vacuum_cost_delay={self.cost_delay_ms:g} -c idle_in_transaction_session_timeout=60s  -c timezone=UTC "
            "-c datestyle=ISO -c row_security=off"  # where rows would be hidden from the role, an error
        )


def identifier(*names: str) -> Identifier:
    """A quoted identifier for a statement that has parameters, in which a literal % is doubled."""
    from psycopg import sql

    return sql.Identifier(*(name.replace("%", "%%") for name in names))


def type_name(name: str) -> SQL:
    """A type as the server's format_type wrote it, quoted where that is needed."""
    from psycopg import sql

    return sql.SQL(name.replace("%", "%%"))


def statement(include: IncludeFolder, name: str, **parts: Composable) -> Composed:
    """A statement below include/sql/maintenance/, its {names} replaced."""
    from psycopg import sql

    return sql.SQL(include.query("sql", f"maintenance/{name}.sql")).format(**parts)


class WorkSession:
    """One open session that works on the database."""

    def __init__(self, connection: Connection[Any], where: str, *, lock_seconds: float = 2) -> None:
        self.connection = connection
        self._patience = str(int(lock_seconds * 1000))
        self.pid = connection.info.backend_pid
        self._where = where
        self._notices: list[str] = []
        connection.prepare_threshold = None  # a generic plan does not know how few rows a batch is to have
        connection.add_notice_handler(lambda notice: self._notices.append(notice.message_primary or ""))

    def run(self, query: Composed, parameters: Mapping[str, object] | None = None) -> int:
        """Run a statement; the number of rows it touched.

        :raises StepFailedError: in PostgreSQL's words
        """
        with self.failures(), self.connection.cursor() as cursor:
            cursor.execute(query, dict(parameters or {}))
            return max(0, cursor.rowcount)

    def run_unless_locked(self, query: Composed, parameters: Mapping[str, object]) -> int | None:
        """As `run`; None when it would have had to wait for a lock for longer than it may."""
        from psycopg import errors

        try:
            return self.run(query, parameters)
        except StepInterruptedError as error:
            if isinstance(error.__cause__, errors.LockNotAvailable):
                return None
            raise

    def run_patiently(self, query: Composed, parameters: Mapping[str, object]) -> int:
        """As `run`, in a session that is in a hurry: waits for a lock for as long as it was opened for."""
        with self.failures(), self.connection.transaction():
            self.connection.execute("SELECT set_config('lock_timeout', %s, true)", [self._patience])
            return self.run(query, parameters)

    def rows(self, query: Composed, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
        """The rows of a query, by column name."""
        from psycopg.rows import dict_row

        with self.failures(), self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, dict(parameters)).fetchall()

    def hurry(self) -> None:
        """Have commits wait for no disk and no replica, and statements for a lock only a moment.

        After a crash the last commits are undone, and done again by the next run.
        """
        self.connection.execute("SET synchronous_commit = off")
        self.connection.execute("SELECT set_config('lock_timeout', %s, false)", [str(MOMENT_MS)])

    def take_notices(self) -> list[str]:
        """What the server remarked since it was last asked: a vacuum that skips a table says so here, and ends well."""
        taken, self._notices = self._notices, []
        return taken

    def cancel(self) -> None:
        """Cancel the statement of this very session; from another thread."""
        self.connection.cancel_safe(timeout=5)

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Tell what may pass from what will not."""
        import psycopg
        from psycopg import errors

        try:
            yield
        except (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected) as error:
            raise StepInterruptedError(f"{self._where}: {_text(error)}") from error
        except (
            errors.ForeignKeyViolation
        ) as error:  # a row that others pointed to only since it was looked at
            raise StepInterruptedError(f"{self._where}: {_text(error)}") from error
        except psycopg.OperationalError as error:
            raise StepInterruptedError(f"{self._where}: the session was ended: {_text(error)}") from error
        except psycopg.Error as error:
            raise StepFailedError(f"{self._where}: {_text(error)}") from error


@contextmanager
def work_session(
    bounds: Bounds, *, application: str = APPLICATION, patience_seconds: float = RESTART_SECONDS
) -> Iterator[WorkSession]:
    """A session of the Connection that changes; a server that restarts is waited for.

    :param application: only what changes something has the name that the next task ends as an orphan
    :raises UnreachableError: when it takes no connection for so long
    """
    hook, until = DatabaseHook(CHANGES), time.monotonic() + patience_seconds
    while True:
        opened = hook.opened(bounds.options(), application=application)
        try:
            connection, where = opened.__enter__()
        except UnreachableError:
            if time.monotonic() >= until:
                raise
            time.sleep(0.5)
            continue
        break
    try:
        _settle_in(connection, application)
        yield WorkSession(connection, where, lock_seconds=bounds.lock_seconds)
    finally:
        connection.close()


def _settle_in(connection: Connection[Any], application: str) -> None:
    """A name that no extra can change, settings that no role can, and an end when this process is killed.

    Without the check a rebuild whose task was killed would go on by itself.
    """
    import psycopg

    connection.execute("SELECT set_config('application_name', %s, false)", [application])
    settings = {"names": list(_OUR_SETTINGS), "values": list(_OUR_SETTINGS.values())}
    connection.execute(_SETTLE, settings)
    try:
        connection.execute("SET client_connection_check_interval = '1s'")
    except psycopg.Error:  # since PostgreSQL 14, and not on every operating system
        return


def with_attempts(
    attempts: int, action: Callable[[], Result], *, pause_seconds: float, longest_seconds: float
) -> Result:
    """The result of an action that may be interrupted, tried so often; a pause before each further attempt.

    :param longest_seconds: none is begun after one that took so long: what the time limit ended, it would end again

    :raises StepInterruptedError: what interrupted the last one
    """
    for number in range(1, attempts + 1):
        began = time.monotonic()
        try:
            return action()
        except StepInterruptedError as error:
            if number == attempts or time.monotonic() - began >= longest_seconds:
                raise StepInterruptedError(f"after {number} attempts: {error}") from error
            time.sleep(pause_seconds)
    raise StepFailedError("no attempt was allowed; expected at least 1")


def _text(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
