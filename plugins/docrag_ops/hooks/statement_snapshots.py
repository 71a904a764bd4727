"""Snapshots of pg_stat_statements, in the history database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from docrag_ops.core.performance.snapshots import Snapshot, snapshot_of
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.history import HistoryHook

REACH = timedelta(days=22)
"""Two weeks, and one more for snapshots that were not taken when they should have been."""


class StatementSnapshots(HistoryHook):
    """Finds them by the Connection `docrag_history`; `record_statements` keeps them."""

    def stored(self, run: RunKey, *, now: datetime) -> list[Snapshot]:
        """Those that other runs took, the last of each UTC day, oldest first.

        :raises UnreachableError: when the history database cannot be used.
        """
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import statements as table

        taken = (
            select(table.c.taken_at)
            .distinct()
            .where(
                table.c.environment == run.environment,
                table.c.taken_at >= now - REACH,
                table.c.taken_at < now,
                (table.c.entry != run.entry) | (table.c.run_id != run.run_id),
            )
            .order_by(table.c.taken_at)
        )
        with self.transaction() as connection:
            last = {at.date(): at for (at,) in connection.execute(taken)}
            rows = connection.execute(
                select(table)
                .where(table.c.environment == run.environment, table.c.taken_at.in_(last.values()))
                .order_by(table.c.taken_at)
            ).mappings()
            return _snapshots([dict(row) for row in rows])


def _snapshots(rows: list[Mapping[str, Any]]) -> list[Snapshot]:
    by_time: dict[datetime, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_time.setdefault(row["taken_at"], []).append(row)
    return [snapshot_of(found, taken_at=at) for at, found in by_time.items()]
