"""Charts of runs, in the history database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from docrag_ops.core.performance.charts import Chart
from docrag_ops.core.runs import RunKey
from docrag_ops.core.texts import storable
from docrag_ops.hooks.history import HistoryHook


class ChartRecords(HistoryHook):
    """Keeps and finds them by the Connection `docrag_history`."""

    def record(self, run: RunKey, charts: Sequence[Chart], *, at: datetime) -> None:
        """Keep a run's charts, in their order; what the same run kept before is replaced."""
        from docrag_ops.hooks.history_tables import charts as table

        key = run.to_columns()
        rows = [
            {
                **key,
                "place": place,
                "kind": one.kind,
                "title": one.title,
                "subject": storable(one.subject),
                "unit": one.unit,
                "ends_at": one.ends_at,
                "this_week": list(one.this_week),
                "week_before": list(one.week_before),
                "recorded_at": at,
            }
            for place, one in enumerate(charts)
        ]
        with self.transaction() as connection:
            connection.execute(table.delete().where(*(table.c[name] == value for name, value in key.items())))
            if rows:
                connection.execute(table.insert(), rows)

    def of_run(self, *, entry: str, run_id: str) -> list[Chart]:
        """The charts of a run, in their order.

        :raises UnreachableError: when the history database cannot be used.
        """
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import charts as table

        query = select(table).where(table.c.entry == entry, table.c.run_id == run_id).order_by(table.c.place)
        with self.transaction() as connection:
            return [
                Chart(
                    kind=row.kind,
                    title=row.title,
                    subject=row.subject,
                    unit=row.unit,
                    ends_at=row.ends_at,
                    this_week=tuple(row.this_week),
                    week_before=tuple(row.week_before),
                )
                for row in connection.execute(query)
            ]
