"""The day's figures of the capacity series, in the history database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta

from docrag_ops.core.capacity import DayFigures
from docrag_ops.core.texts import storable
from docrag_ops.hooks.history import HistoryHook


class CapacityDays(HistoryHook):
    """Keeps and finds them, by the Connection `docrag_history`."""

    def whole_days(self, environment: str, since: date) -> dict[str, dict[date, int]]:
        """Per series the days that were recorded after they had ended, each with its fullest subject's count.

        :raises UnreachableError: when the history database cannot be used.
        """
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import capacity_days as table

        query = (
            select(
                table.c.series,
                table.c.day,
                func.min(table.c.recorded_at).label("recorded_at"),
                func.max(table.c.sample_count).label("most"),
            )
            .where(table.c.environment == environment, table.c.day >= since)
            .group_by(table.c.series, table.c.day)
        )
        found: dict[str, dict[date, int]] = {}
        with self.transaction() as connection:
            for row in connection.execute(query):
                if row.recorded_at.date() > row.day:
                    found.setdefault(row.series, {})[row.day] = row.most
        return found

    def last_days(self, environment: str, *, before: date) -> dict[str, date]:
        """Per series the last day before another one that was ever recorded."""
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import capacity_days as table

        query = (
            select(table.c.series, func.max(table.c.day).label("day"))
            .where(table.c.environment == environment, table.c.day < before)
            .group_by(table.c.series)
        )
        with self.transaction() as connection:
            return {row.series: row.day for row in connection.execute(query)}

    def figures(
        self, environment: str, series: str, *, since: date, until: date | None = None
    ) -> list[DayFigures]:
        """What was kept of a series from one day to another (both included), by subject and day."""
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import capacity_days as table

        query = (
            select(table)
            .where(table.c.environment == environment, table.c.series == series, table.c.day >= since)
            .order_by(table.c.subject, table.c.day)
        )
        if until:
            query = query.where(table.c.day <= until)
        with self.transaction() as connection:
            return [
                DayFigures(
                    series=row.series,
                    subject=row.subject,
                    day=row.day,
                    unit=row.unit,
                    mean=row.mean,
                    p50=row.p50,
                    p95=row.p95,
                    max=row.max,
                    count=row.sample_count,
                )
                for row in connection.execute(query)
            ]

    def record(
        self,
        environment: str,
        series: str,
        days: Collection[date],
        figures: Sequence[DayFigures],
        *,
        at: datetime,
    ) -> None:
        """Keep one series of some days; what was kept of those before is replaced."""
        from docrag_ops.hooks.history_tables import capacity_days as table

        rows = [
            {
                "environment": environment,
                "series": series,
                "subject": storable(one.subject),
                "day": one.day,
                "unit": one.unit,
                "mean": one.mean,
                "p50": one.p50,
                "p95": one.p95,
                "max": one.max,
                "sample_count": one.count,
                "recorded_at": at,
            }
            for one in figures
        ]
        same = (table.c.environment == environment, table.c.series == series, table.c.day.in_(days))
        with self.transaction() as connection:
            connection.execute(table.delete().where(*same))
            if rows:
                connection.execute(table.insert(), rows)

    def measured(self, environment: str, check: str, day: date) -> Mapping[str, list[float]]:
        """What runs measured for a check on a UTC day, by subject."""
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import measurements as table

        start = datetime.fromisoformat(f"{day.isoformat()}T00:00:00+00:00")
        query = select(table.c.subject, table.c.value).where(
            table.c.environment == environment,
            table.c.check_name == check,
            table.c.measured_at >= start,
            table.c.measured_at < start + timedelta(days=1),
            table.c.value.is_not(None),
        )
        found: dict[str, list[float]] = {}
        with self.transaction() as connection:
            for row in connection.execute(query):
                found.setdefault(row.subject, []).append(row.value)
        return found
