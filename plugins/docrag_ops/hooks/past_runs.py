"""Which runs left a report, and what a check of another entry came to in its runs: from the history database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from docrag_ops.core.due_runs import Recorded, recorded
from docrag_ops.core.verdicts import Verdict, worst
from docrag_ops.hooks.history import HistoryHook


@dataclass
class PastOfEntry:
    """An entry's runs since some time, and when it left its first record ever."""

    first_at: datetime
    runs: list[Recorded] = field(default_factory=list)


class PastRuns(HistoryHook):
    """Finds runs, by the Connection `docrag_history`."""

    def reports(self, environment: str, since: datetime) -> dict[str, PastOfEntry]:
        """Per entry the runs that left a report since then.

        :raises UnreachableError: when the history database cannot be used.
        """
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import reports as table

        here = table.c.environment == environment
        first = (
            select(table.c.entry, func.min(table.c.recorded_at).label("at"))
            .where(here)
            .group_by(table.c.entry)
        )
        query = select(table.c.entry, table.c.run_id, table.c.recorded_at).where(
            here, table.c.recorded_at >= since
        )
        with self.transaction() as connection:
            found = {row.entry: PastOfEntry(row.at) for row in connection.execute(first)}
            for row in connection.execute(query):
                found[row.entry].runs.append(recorded(row.run_id, row.recorded_at))
        return found

    def verdicts(
        self, environment: str, entry: str, checks: Sequence[str], since: datetime
    ) -> PastOfEntry | None:
        """An entry's runs since then with the worst verdict of these checks in each; None when it never had one."""
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import findings as table

        here = (
            table.c.environment == environment,
            table.c.entry == entry,
            table.c.check_name.in_(checks),
        )
        query = select(table.c.run_id, table.c.recorded_at, table.c.verdict).where(
            *here, table.c.recorded_at >= since
        )
        with self.transaction() as connection:
            first = connection.execute(select(func.min(table.c.recorded_at)).where(*here)).scalar()
            rows = list(connection.execute(query))
        if first is None:
            return None
        by_run: dict[tuple[str, datetime], list[Verdict]] = {}
        for row in rows:
            by_run.setdefault((row.run_id, row.recorded_at), []).append(Verdict(row.verdict))
        return PastOfEntry(first, [recorded(*run, worst(found)) for run, found in by_run.items()])
