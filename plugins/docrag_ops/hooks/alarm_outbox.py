"""The outbox: alarms in the history, each until every channel took its message.

Times are the database's own, so that no two machines have to agree on the clock.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docrag_ops.core.alarms import IMPORT_ERROR_GONE_AFTER, LEASE, Alarm, Claimed, Kind, Waiting, retry_after
from docrag_ops.hooks.history import HistoryHook

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection, Row


class AlarmOutbox(HistoryHook):
    """Keeps alarms, and lends each to one sender at a time."""

    def record(
        self,
        alarm: Alarm,
        *,
        tries: int = 0,
        channels: Sequence[str] = (),
        delivered_at: datetime | None = None,
        last_error: str = "",
    ) -> None:
        """Keep an alarm; what is known of it already is completed. The options are for what the spool had sent."""
        from sqlalchemy import func
        from sqlalchemy.dialects.postgresql import insert

        from docrag_ops.hooks.history_tables import alarms as table

        with self.transaction() as connection:
            clear_number = _clear_number(connection, alarm)
            row = insert(table).values(
                kind=alarm.kind,
                dag_id=alarm.dag_id,
                run_id=alarm.run_id,
                clear_number=clear_number,
                happened_at=alarm.happened_at,
                seen_at=alarm.happened_at,
                facts=alarm.facts,
                tries=tries,
                channels=list(channels),
                delivered_at=delivered_at,
                last_error=last_error,
            )
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=["dag_id", "run_id", "clear_number", "kind"],
                    set_={
                        "seen_at": func.greatest(table.c.seen_at, row.excluded.seen_at),
                        "facts": table.c.facts.concat(row.excluded.facts),
                        "channels": table.c.channels.concat(row.excluded.channels),
                        "delivered_at": func.coalesce(table.c.delivered_at, row.excluded.delivered_at),
                    },
                )
            )

    def claim(self, alarm: Alarm | None = None) -> Claimed | None:
        """Take an alarm for five minutes: this one, or the oldest that is due; None when nobody has to be told.

        Whoever was killed while sending is presumed to have failed when the five minutes are over.
        """
        from sqlalchemy import func, or_, select

        from docrag_ops.hooks.history_tables import alarms as table

        due = select(table.c.id).where(
            table.c.delivered_at.is_(None),
            or_(table.c.claimed_until.is_(None), table.c.claimed_until < func.now()),
        )
        due = due.where(*_key(alarm)) if alarm else due.where(table.c.next_try_at <= func.now())
        due = due.order_by(table.c.happened_at, table.c.id).limit(1).with_for_update(skip_locked=True)
        token = uuid.uuid4().hex
        with self.transaction() as connection:
            row = connection.execute(
                table.update()
                .where(table.c.id == due.scalar_subquery())
                .values(claimed_by=token, claimed_until=func.now() + LEASE, tries=table.c.tries + 1)
                .returning(table)
            ).first()
        if row is None:
            return None
        return Claimed(alarm=_alarm(row), token=token, tries=row.tries, channels=tuple(row.channels))

    def make_due(self) -> None:
        """Everything that waits is tried again now: somebody asked for it."""
        from sqlalchemy import func

        from docrag_ops.hooks.history_tables import alarms as table

        with self.transaction() as connection:
            connection.execute(
                table.update().where(table.c.delivered_at.is_(None)).values(next_try_at=func.now())
            )

    def delivered(self, claimed: Claimed, *, channels: Sequence[str], message: str) -> None:
        """Every channel took it."""
        from sqlalchemy import func

        self._close(claimed, delivered_at=func.now(), channels=list(channels), message=message, last_error="")

    def put_back(self, claimed: Claimed, *, channels: Sequence[str], error: str) -> None:
        """Some channel did not take it; it is tried again later."""
        from sqlalchemy import func

        later = func.now() + retry_after(claimed.tries)
        self._close(claimed, next_try_at=later, channels=list(channels), last_error=error)

    def waiting(self) -> list[Waiting]:
        """What nobody was told yet, the oldest first."""
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import alarms as table

        claimed = func.coalesce(table.c.claimed_until > func.now(), False).label("claimed")
        with self.transaction() as connection:
            rows = connection.execute(
                select(table, claimed)
                .where(table.c.delivered_at.is_(None))
                .order_by(table.c.happened_at, table.c.id)
            ).all()
        return [
            Waiting(alarm=_alarm(row), tries=row.tries, last_error=row.last_error, claimed=row.claimed)
            for row in rows
        ]

    def _close(self, claimed: Claimed, **values: Any) -> None:
        """End a claim, unless somebody else holds it by now."""
        from docrag_ops.hooks.history_tables import alarms as table

        with self.transaction() as connection:
            connection.execute(
                table.update()
                .where(table.c.claimed_by == claimed.token)
                .values(claimed_by=None, claimed_until=None, **values)
            )


def _clear_number(connection: Connection, alarm: Alarm) -> int:
    """The one that is given; else the newest known of this run, or the occurrence of an import error."""
    from sqlalchemy import select

    from docrag_ops.hooks.history_tables import alarms as table

    if alarm.clear_number is not None:
        return alarm.clear_number
    known = connection.execute(
        select(table.c.clear_number, table.c.seen_at)
        .where(table.c.kind == alarm.kind, table.c.dag_id == alarm.dag_id, table.c.run_id == alarm.run_id)
        .order_by(table.c.clear_number.desc())
    ).first()
    if known is None:
        return 0
    was_gone = alarm.happened_at - known.seen_at > IMPORT_ERROR_GONE_AFTER
    again = alarm.kind is Kind.IMPORT_ERROR and was_gone
    return int(known.clear_number) + (1 if again else 0)


def _key(alarm: Alarm) -> list[ColumnElement[bool]]:
    from docrag_ops.hooks.history_tables import alarms as table

    same = [table.c.kind == alarm.kind, table.c.dag_id == alarm.dag_id, table.c.run_id == alarm.run_id]
    return same if alarm.clear_number is None else [*same, table.c.clear_number == alarm.clear_number]


def _alarm(row: Row[Any]) -> Alarm:
    return Alarm(
        kind=Kind(row.kind),
        dag_id=row.dag_id,
        run_id=row.run_id,
        clear_number=row.clear_number,
        happened_at=row.happened_at,
        facts=row.facts,
    )
