"""Who has to wait because of us: asked several times a second, from a session that is not the one at work."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from docrag_ops.hooks.database import DatabaseHook
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_session import READS, WorkSession

if TYPE_CHECKING:
    from psycopg import Connection

EVERY_SECONDS = 0.05
_OPTIONS = "-c statement_timeout=5s -c lock_timeout=1s -c timezone=UTC"
log = logging.getLogger(__name__)


class Watch:
    """The longest that any session has waited for ours, and what it had waited since it was last asked."""

    def __init__(self, opened: Callable[[], Connection[Any]], query: str, *, at_most_seconds: float) -> None:
        self._opened = opened
        self._connection: Connection[Any] | None = opened()
        self._query = query.encode()
        self._at_most = at_most_seconds
        self._sessions: dict[int, WorkSession] = {}
        self._end = threading.Event()
        self._longest = 0.0
        self._recent = 0.0
        self.broken = False
        self.cancelled = 0

    @property
    def longest_seconds(self) -> float | None:
        """None when it could not be seen all the time."""
        return None if self.broken else self._longest

    def follow(self, session: WorkSession) -> None:
        """Watch this session; when it keeps others waiting for too long, its statement is cancelled.

        What a restart ended is opened again here, where the session that works was just opened, too.
        """
        if self._connection is None:
            self._connection = self._opened()
        self._sessions = {session.pid: session}

    def take_recent(self) -> float:
        """The longest wait since it was last asked, in seconds."""
        recent, self._recent = self._recent, 0.0
        return recent

    def run(self) -> None:
        """Look, until told to end."""
        import psycopg

        while not self._end.wait(EVERY_SECONDS):
            try:
                self._look()
            except psycopg.Error as error:
                self.broken, self._connection = True, None
                log.warning("It cannot be seen for a while whether others wait: %s", error)

    def end(self) -> None:
        """Have `run` return."""
        self._end.set()

    def _look(self) -> None:
        sessions, connection = self._sessions, self._connection
        if not sessions or connection is None:
            return
        rows = connection.execute(self._query, {"pids": list(sessions)}).fetchall()
        waited = max((float(row[1]) for row in rows), default=0.0)
        self._longest, self._recent = max(self._longest, waited), max(self._recent, waited)
        if waited > self._at_most:
            for session in sessions.values():
                self.cancelled += 1
                log.warning("Others have waited %.1f s for us: our statement is cancelled", waited)
                session.cancel()
            time.sleep(self._at_most)


@contextmanager
def watching(include: IncludeFolder, *, at_most_seconds: float) -> Iterator[Watch]:
    """A watch in a thread of its own.

    The session is opened here and not there: a task may ask Airflow for a Connection from its main thread only.
    """
    with ExitStack() as sessions:

        def opened() -> Connection[Any]:
            session = DatabaseHook(READS).opened(_OPTIONS, application="docrag-ops watch")
            return sessions.enter_context(session)[0]

        query = include.query("sql", "maintenance/waiting.sql")
        watch = Watch(opened, query, at_most_seconds=at_most_seconds)
        thread = threading.Thread(target=watch.run, name="docrag-ops watch", daemon=True)
        thread.start()
        try:
            yield watch
        finally:
            watch.end()
            thread.join(timeout=10)
