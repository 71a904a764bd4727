"""Old rows of one table, deleted in batches, and exported first where the policy says so.

A batch is one short transaction, in the order of the key, and skips what somebody has locked. An exported batch is
deleted and written in the same transaction, which is committed only when the file was read back: what is gone is in a
file. A table without a key is gone through page by page.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from docrag_ops.core.errors import StepFailedError
from docrag_ops.core.maintenance.pace import SMALLEST, next_size
from docrag_ops.core.maintenance.policy import Pace
from docrag_ops.hooks.archive_folder import ArchiveFolder
from docrag_ops.hooks.maintenance_session import WorkSession
from docrag_ops.hooks.old_rows import Key, OldRows

if TYPE_CHECKING:
    from psycopg.sql import Composed

MOST_IN_VAIN = 2
MOST_NAMED = 10
PAGES_AT_FIRST = 64
FEW_SHARE = 0.1
SLOWER = 5


@dataclass
class Deleted:
    """What became of the rows of a table. Seconds of work do not count the pauses."""

    rows: int = 0
    batches: int = 0
    work_seconds: float = 0.0
    paused_seconds: float = 0.0
    files: int = 0
    left: int = 0
    left_keys: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Hindrance:
    """Why a pause is longer: a replica that lags has to be waited out, blocked sessions only ask for patience."""

    lags: str = ""
    blocked: bool = False


def delete_old_rows(
    rows: OldRows, session: WorkSession, pace: Pace, *, hindrance: Callable[[], Hindrance], done: Deleted
) -> Deleted:
    """Delete all of them, as gently as the pace says; what is locked is tried again after a pause.

    :param hindrance: asked after every batch
    :param done: what earlier, interrupted attempts came to; it is added to
    :raises StepFailedError: when a replica lags for longer than patience, or the server refuses
    """
    archive = ArchiveFolder(rows.export) if rows.export else None
    if archive:
        archive.tidy(rows.label)
    else:
        session.hurry()
    in_vain = 0
    while in_vain < MOST_IN_VAIN:
        before = done.rows
        _Pass(rows, session, pace, archive, done).run(hindrance)
        done.left = rows.count(session)["eligible"]
        if not done.left:
            return done
        if done.rows > before:  # a row that went may have been what kept another one
            continue
        in_vain += 1
        time.sleep(min(pace.patience_seconds / MOST_IN_VAIN, 1.0))
    done.left_keys = [", ".join(key) for key in rows.next_keys(session, None, MOST_NAMED)]
    return done


class _Pass:
    """One way through the table."""

    def __init__(
        self, rows: OldRows, session: WorkSession, pace: Pace, archive: ArchiveFolder | None, done: Deleted
    ) -> None:
        self._rows, self._session, self._pace, self._archive, self._done = rows, session, pace, archive, done
        self._size = pace.rows if rows.has_key else PAGES_AT_FIRST
        if rows.is_referenced:  # without an index of theirs, each row has their whole table read
            self._size = min(pace.rows, SMALLEST)
        self._began = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        self._after: Key | None = None
        self._ended = False
        self._sparse = False
        self._page, self._pages = 0, 0 if rows.has_key else rows.pages(session)

    def run(self, hindrance: Callable[[], Hindrance]) -> None:
        """Batch by batch, each followed by its pause."""
        batch = self._way()
        while True:
            began = time.monotonic()
            deleted = batch()
            if deleted is None:
                return
            took = time.monotonic() - began
            self._done.rows += deleted
            self._done.batches += 1
            self._done.work_seconds += took
            most, longest = self._pace.rows, self._pace.batch_seconds
            self._size = next_size(self._size, took_seconds=took, at_most_seconds=longest, most=most)
            if deleted:
                self._pause(hindrance)

    def _way(self) -> Callable[[], int | None]:
        """Page by page without a key; else range by range where many rows are old, and key by key where few are."""
        if not self._rows.has_key:
            return self._by_page
        few = self._rows.share < FEW_SHARE
        return self._by_keys if self._archive or few else self._by_range

    def _by_range(self) -> int | None:
        """The old ones of the next so many rows, old or not: how long it searches with locks held is bounded, too.

        After a range without any, those that may be further on are found first, and deleted by key.
        """
        if self._ended:
            return None
        if self._sparse:
            return self._by_keys()
        after = self._after
        upto = self._rows.next_end(self._session, after, self._size)
        self._ended = upto is None
        if upto is not None:
            self._go_on_from(upto)
        deleted = self._rows.delete_range(self._session, after, upto)
        self._sparse = deleted == 0
        return deleted

    def _by_keys(self) -> int | None:
        keys = self._rows.next_keys(self._session, self._after, self._size)
        if not keys:
            return None
        self._go_on_from(keys[-1])
        return self._delete(*self._rows.delete_keys(keys))

    def _go_on_from(self, key: Key) -> None:
        if key == self._after:
            raise StepFailedError(f"the key {', '.join(key)} of {self._rows.label} has no successor")
        self._after = key

    def _by_page(self) -> int | None:
        if self._page >= self._pages:
            return None
        first, self._page = self._page, self._page + self._size
        return self._delete(*self._rows.delete_pages(first, self._page))

    def _delete(self, query: Composed, parameters: dict[str, object]) -> int:
        if self._archive is None:
            return self._session.run(query, parameters)
        return self._export(self._archive, query, parameters)

    def _export(self, archive: ArchiveFolder, query: Composed, parameters: dict[str, object]) -> int:
        from psycopg import sql

        copied = sql.SQL("COPY ({} {}) TO STDOUT").format(query, self._rows.as_json())
        name = f"{self._began}-{self._done.batches + 1:06}"
        file = None
        try:
            with (
                self._session.failures(),
                self._session.connection.transaction(),
                self._session.connection.cursor().copy(copied, parameters) as copy,
            ):
                file = archive.store(self._rows.label, name, (row[0] for row in copy.rows()))
        except StepFailedError:
            if file:
                archive.discard(self._rows.label, file)
            raise
        if not file.rows:
            archive.discard(self._rows.label, file)
            return 0
        archive.confirm(self._rows.label, file)
        self._done.files += 1
        return file.rows

    def _pause(self, hindrance: Callable[[], Hindrance]) -> None:
        began = time.monotonic()
        until = began + self._pace.patience_seconds
        found = hindrance()
        while found.lags:
            if time.monotonic() >= until:
                raise StepFailedError(
                    f"{found.lags} for {self._pace.patience_seconds:g} s; the rows that are left stay for the next run"
                )
            time.sleep(min(1.0, self._pace.patience_seconds / 10))
            found = hindrance()
        time.sleep(self._pace.pause_seconds * (SLOWER if found.blocked else 1))
        if found.blocked:
            self._size = max(1, self._size // 2)
        self._done.paused_seconds += time.monotonic() - began
