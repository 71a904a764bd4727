"""The record of open findings, in the history: Alertmanager forgets what it was told, this does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docrag_ops.core.alerts import OpenFinding
from docrag_ops.core.findings import Finding
from docrag_ops.core.open_findings import Settlement
from docrag_ops.core.results import RunResult
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.history import HistoryHook

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Row


class AlertRecords(HistoryHook):
    """Keeps which findings are open."""

    def bad_findings(self, result: RunResult) -> list[Finding]:
        """All findings of a run's check tasks that are not ok, also those beyond what its report shows."""
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import findings as table

        with self.transaction() as connection:
            rows = connection.execute(
                select(table)
                .where(
                    table.c.environment == result.environment,
                    table.c.entry == result.entry,
                    table.c.run_id == result.run_id,
                    table.c.verdict != Verdict.OK,
                )
                .order_by(table.c.id)
            ).all()
        by_check = {one.check: one for one in result.findings if one.verdict is not Verdict.OK}
        return [_finding(row, by_check.get(row.check_name)) for row in rows]

    def unjudged(self, result: RunResult) -> set[tuple[str, str]]:
        """Check and subject that the run looked at and could not judge."""
        from sqlalchemy import or_, select

        from docrag_ops.hooks.history_tables import measurements as table

        with self.transaction() as connection:
            rows = connection.execute(
                select(table.c.check_name, table.c.subject).where(
                    table.c.environment == result.environment,
                    table.c.entry == result.entry,
                    table.c.run_id == result.run_id,
                    or_(table.c.verdict.is_(None), table.c.verdict == Verdict.UNKNOWN),
                )
            ).all()
        return {(row.check_name, row.subject) for row in rows}

    def settle(
        self,
        environment: str,
        decide: Callable[[list[OpenFinding]], Settlement],
        *,
        at: datetime,
        ends_at: datetime,
    ) -> None:
        """Bring the record of an environment up to date; one report at a time.

        :param decide: of what is open, what it becomes.
        """
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import open_findings as table

        with self.transaction() as connection:
            connection.execute(
                select(func.pg_advisory_xact_lock(func.hashtext(f"open_findings {environment}")))
            )
            decided = decide(_open(connection, environment))
            changes = [
                *((number, {"resolved_at": at, "resolution": why}) for number, why in decided.over.items()),
                *(
                    (number, {"last_seen_at": at, "ends_at": ends_at, "annotations": annotations})
                    for number, annotations in decided.seen.items()
                ),
            ]
            for number, values in changes:
                connection.execute(table.update().where(table.c.id == number).values(**values))
            if decided.opened:
                rows = [{**_columns(one), "last_seen_at": at, "resolution": ""} for one in decided.opened]
                connection.execute(table.insert(), rows)

    def to_tell(self, environment: str | None = None) -> list[OpenFinding]:
        """What Alertmanager has to be told: all that is open, and what is resolved and it does not know yet."""
        from sqlalchemy import or_, select

        from docrag_ops.hooks.history_tables import open_findings as table

        wanted = [or_(table.c.resolved_at.is_(None), table.c.told_resolved_at.is_(None))]
        if environment is not None:
            wanted.append(table.c.environment == environment)
        with self.transaction() as connection:
            rows = connection.execute(select(table).where(*wanted).order_by(table.c.id)).all()
        return [_open_finding(row) for row in rows]

    def told(self, findings: Iterable[OpenFinding], *, at: datetime) -> None:
        """Alertmanager took that these are resolved."""
        from docrag_ops.hooks.history_tables import open_findings as table

        ids = [one.record_id for one in findings if one.resolved_at]
        if ids:
            with self.transaction() as connection:
                connection.execute(table.update().where(table.c.id.in_(ids)).values(told_resolved_at=at))

    def first_seen(self, environment: str) -> dict[tuple[str, str], datetime]:
        """Check and subject of every open finding -> since when it is bad."""
        with self.transaction() as connection:
            known = _open(connection, environment)
        return {(one.check, one.subject): one.first_seen_at for one in known}


def _open(connection: Connection, environment: str) -> list[OpenFinding]:
    from sqlalchemy import select

    from docrag_ops.hooks.history_tables import open_findings as table

    rows = connection.execute(
        select(table)
        .where(table.c.environment == environment, table.c.resolved_at.is_(None))
        .order_by(table.c.first_seen_at.desc())
    )
    return [_open_finding(row) for row in rows]


def _columns(one: OpenFinding) -> dict[str, Any]:
    return {
        "environment": one.environment,
        "scope": one.scope,
        "area": one.area,
        "check_name": one.check,
        "subject": one.subject,
        "severity": one.severity,
        "entry": one.entry,
        "run_id": one.run_id,
        "first_seen_at": one.first_seen_at,
        "ends_at": one.ends_at,
        "annotations": one.annotations,
    }


def _open_finding(row: Row[Any]) -> OpenFinding:
    return OpenFinding(
        record_id=row.id,
        environment=row.environment,
        scope=row.scope,
        area=row.area,
        check=row.check_name,
        subject=row.subject,
        severity=row.severity,
        entry=row.entry,
        run_id=row.run_id,
        first_seen_at=row.first_seen_at,
        ends_at=row.ends_at,
        annotations=row.annotations,
        resolved_at=row.resolved_at,
    )


def _finding(row: Row[Any], alike: Finding | None) -> Finding:
    """A recorded finding; remedy and runbook are those that the report has for the same check."""
    return Finding(
        check=row.check_name,
        subject=row.subject,
        verdict=Verdict(row.verdict),
        value=row.value,
        unit=row.unit,
        limit=row.limit_value,
        evidence=row.evidence,
        remedy=alike.remedy if alike else "",
        runbook=alike.runbook if alike else "",
    )
