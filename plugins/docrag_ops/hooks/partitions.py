"""Partitions that have expired as a whole: detached beside their readers, exported, then dropped.

Each part can be interrupted; what was done is seen from the catalogue, and the rest is done by the next attempt.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from docrag_ops.core.errors import StepFailedError
from docrag_ops.hooks.archive_folder import ArchiveFolder, ExportedFile
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.maintenance_relations import relation
from docrag_ops.hooks.maintenance_session import WorkSession, identifier, statement
from docrag_ops.hooks.old_rows import OldRows

SHORT_LOCK_MS = 100
# To read a large file back takes its time, in which the server sees a transaction that does nothing.
_PATIENT_EXPORT = (
    "SELECT set_config('idle_in_transaction_session_timeout', current_setting('statement_timeout'), true)"
)


class ExpiredPartition:
    """One partition, as the plan's step describes it."""

    def __init__(self, include: IncludeFolder, details: Mapping[str, Any]) -> None:
        self._include, self._details = include, details
        self._rows = OldRows(include, details)

    def leave(self, session: WorkSession) -> str:
        """Detach, export, drop; says what was done.

        :raises StepFailedError: also when it holds a row that has to stay: then it is left detached, and said
        """
        self._detach(session)
        with session.failures(), session.connection.transaction():
            # Dropping a table locks those that its foreign keys point to: they are waited for a moment only.
            session.connection.execute("SELECT set_config('lock_timeout', %s, true)", [str(SHORT_LOCK_MS)])
            session.connection.execute(_PATIENT_EXPORT)
            session.run(statement(self._include, "lock_to_drop", table=self._rows.table))
            if self._rows.keeps(session):
                raise StepFailedError(
                    f"{self._rows.label} was detached and holds rows that have to stay: attach it again"
                )
            rows = self._rows.count(session)["eligible"]
            file = self._export(session, rows)
            session.run(statement(self._include, "drop_table", table=self._rows.table))
        if file:
            ArchiveFolder(self._details["export"]).confirm(self._rows.label, file)
        exported = f", exported to {file.name}" if file else ""
        return f"detached and dropped with {rows:,} rows{exported}"

    def _detach(self, session: WorkSession) -> None:
        from psycopg import sql

        state = relation(self._include, self._details["oid"])
        if state is None or not state["attached"]:
            return
        query = statement(
            self._include,
            "detach",
            parent=identifier(state["parent_schema"], state["parent_name"]),
            table=self._rows.table,
            how=sql.SQL("FINALIZE" if state["pending"] else "CONCURRENTLY"),
        )
        session.run(query)

    def _export(self, session: WorkSession, rows: int) -> ExportedFile | None:
        from psycopg import sql

        if not self._details["export"]:
            return None
        archive = ArchiveFolder(self._details["export"])
        archive.tidy(self._rows.label)
        query = sql.SQL("COPY ({}) TO STDOUT").format(
            statement(self._include, "all_as_json", table=self._rows.table)
        )
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-whole"
        with session.connection.cursor().copy(query, {}) as copy:
            file = archive.store(self._rows.label, name, (row[0] for row in copy.rows()))
        if file.rows != rows:
            archive.discard(self._rows.label, file)
            raise StepFailedError(f"{file.rows:,} rows of {self._rows.label} were exported, it has {rows:,}")
        return file
