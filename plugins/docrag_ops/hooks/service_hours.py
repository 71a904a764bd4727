"""Hours of service as the history keeps them, so that months are there when Prometheus has forgotten them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from docrag_ops.core.service_level.hours import Hour
from docrag_ops.hooks.history import HistoryHook


@dataclass(frozen=True)
class KeptHour:
    """An hour, and when it was recorded."""

    hour: Hour
    recorded_at: datetime


class ServiceHours(HistoryHook):
    """Keeps and finds hours, by the Connection `docrag_history`."""

    def since(self, environment: str, start: datetime) -> list[KeptHour]:
        """The hours that are kept from a time on, oldest first.

        :raises UnreachableError: when the history database cannot be used.
        """
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import service_hours as table

        query = (
            select(table)
            .where(table.c.environment == environment, table.c.hour_at >= start)
            .order_by(table.c.hour_at)
        )
        with self.transaction() as connection:
            return [
                KeptHour(
                    Hour(
                        at=row.hour_at,
                        valid=row.valid_count,
                        failed=row.failed_count,
                        buckets=row.buckets,
                        dark=tuple(row.dark_minutes),
                        down=tuple(row.down_minutes),
                    ),
                    row.recorded_at,
                )
                for row in connection.execute(query)
            ]

    def first_at(self, environment: str) -> datetime | None:
        """The first hour that was ever kept; None when there is none."""
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import service_hours as table

        query = select(func.min(table.c.hour_at)).where(table.c.environment == environment)
        with self.transaction() as connection:
            first: datetime | None = connection.execute(query).scalar()
        return first

    def record(self, environment: str, hours: Sequence[Hour], *, at: datetime) -> None:
        """Keep hours; one that is kept already is replaced."""
        from sqlalchemy.dialects.postgresql import insert

        from docrag_ops.hooks.history_tables import service_hours as table

        if not hours:
            return
        rows = [
            {
                "environment": environment,
                "hour_at": hour.at,
                "valid_count": hour.valid,
                "failed_count": hour.failed,
                "buckets": dict(hour.buckets),
                "dark_minutes": list(hour.dark),
                "down_minutes": list(hour.down),
                "recorded_at": at,
            }
            for hour in hours
        ]
        statement = insert(table)
        keys = ("environment", "hour_at")
        newer = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        with self.transaction() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=newer), rows)
