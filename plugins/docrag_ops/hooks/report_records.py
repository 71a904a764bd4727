"""Reports as the history keeps them, and how each check's number went over past runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from docrag_ops.core.results import RunResult
from docrag_ops.hooks.history import HistoryHook

Trends = dict[str, list[float]]


@dataclass(frozen=True, kw_only=True)
class ReportRecord:
    """The report of one run."""

    recorded_at: datetime
    result: RunResult


class ReportRecords(HistoryHook):
    """Finds reports, by the Connection `docrag_history`."""

    def find(self, *, entry: str, run_id: str) -> ReportRecord | None:
        """The report of a run; None when it recorded none."""
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import reports

        with self.transaction() as connection:
            row = connection.execute(
                select(reports.c.recorded_at, reports.c.result)
                .where(reports.c.entry == entry, reports.c.run_id == run_id)
                .order_by(reports.c.recorded_at.desc())
            ).first()
        return (
            ReportRecord(recorded_at=row.recorded_at, result=RunResult.from_dict(row.result)) if row else None
        )

    def trends(self, report: ReportRecord, *, runs: int) -> Trends:
        """Per check its number in each of the last runs up to this one, oldest first.

        The number is that of the run's finding furthest from zero: the worst subject, or the extreme of what is ok.
        """
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import findings, reports

        result = report.result
        past = (
            select(reports.c.run_id, reports.c.recorded_at)
            .where(
                reports.c.environment == result.environment,
                reports.c.entry == result.entry,
                reports.c.recorded_at <= report.recorded_at,
            )
            .order_by(reports.c.recorded_at.desc())
            .limit(runs)
            .subquery()
        )
        query = (
            select(findings.c.check_name, past.c.recorded_at, func.max(findings.c.value).label("value"))
            .join(past, past.c.run_id == findings.c.run_id)
            .where(
                findings.c.environment == result.environment,
                findings.c.entry == result.entry,
                findings.c.value.is_not(None),
            )
            .group_by(findings.c.check_name, past.c.recorded_at)
            .order_by(past.c.recorded_at)
        )
        found: Trends = {}
        with self.transaction() as connection:
            for row in connection.execute(query):
                found.setdefault(row.check_name, []).append(row.value)
        return found
