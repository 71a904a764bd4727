"""The history of service, runs and capacity as a fixture describes it, in place of the hooks that find it.

service_hours: {from: TIME (null: none at all), each: {valid, failed, buckets}, but: [{from, to, what is other than in
               each, dark or down: [minutes], or gone: true}]}, or {broken: why}
reports:       ENTRY -> {from: TIME, except: [DATE, ...]}: a run at every due time since then, but for those days
verdicts:      {from: TIME (null: none at all), except: {DATE: verdict, or null for no run}}, of any entry and check
schedules:     ENTRY -> cron
snapshots:     [{at: TIME, statements: {QUERY_ID: {calls, total_ms}}, stats_reset, dealloc}], or {broken: why}
capacity_days: {from: DATE, to: DATE, series: [NAME, ...], measured: {CHECK: {SUBJECT: [numbers]}}}
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from docrag_ops.core.due_runs import Recorded, Schedule, slots
from docrag_ops.core.errors import UnreachableError
from docrag_ops.core.performance.snapshots import Snapshot, snapshot_of
from docrag_ops.core.service_level.hours import Hour
from docrag_ops.core.verdicts import Verdict
from docrag_ops.hooks.past_runs import PastOfEntry
from docrag_ops.hooks.service_hours import KeptHour

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def service_hours(answer: Mapping[str, Any], now: datetime) -> Callable[[], Any]:
    """In place of ServiceHours: every hour since `from`, recorded when it had ended."""

    def since(environment: str, start: datetime) -> list[KeptHour]:
        if "broken" in answer:
            raise UnreachableError(answer["broken"])
        return [KeptHour(one, now) for one in _hours(answer, now) if one.at >= start]

    first = answer.get("from")
    return lambda: SimpleNamespace(since=since, first_at=lambda _: first, record=lambda *_, **__: None)


def _hours(answer: Mapping[str, Any], now: datetime) -> list[Hour]:
    if not answer.get("from"):
        return []
    at, found = answer["from"], []
    while at + HOUR <= now:
        is_here = [one for one in answer.get("but", ()) if one["from"] <= at < one["to"]]
        said = {**answer["each"], **(is_here[0] if is_here else {})}
        if not said.get("gone"):
            dark, down = tuple(said.get("dark", ())), tuple(said.get("down", ()))
            valid, failed, buckets = said["valid"], said["failed"], said["buckets"]
            found.append(Hour(at=at, valid=valid, failed=failed, buckets=buckets, dark=dark, down=down))
        at += HOUR
    return found


def schedules(answer: Mapping[str, str]) -> Callable[[], list[Schedule]]:
    """In place of the DAG files."""
    return lambda: [Schedule(entry=entry, cron=cron) for entry, cron in sorted(answer.items())]


def past_runs(answers: Mapping[str, Any], now: datetime) -> Callable[[], Any]:
    """In place of PastRuns: what ran is known by its due times."""
    crons = answers.get("schedules", {})

    def ticks(entry: str, first: datetime) -> list[datetime]:
        schedule = Schedule(entry=entry, cron=crons[entry])
        return [slot.at for slot in slots(schedule, start=first - timedelta(seconds=1), until=now)]

    def reports(environment: str, since: datetime) -> dict[str, PastOfEntry]:
        known = answers.get("reports", {})
        if "broken" in known:
            raise UnreachableError(known["broken"])
        return {
            entry: PastOfEntry(
                one["from"],
                [
                    Recorded(time=at)
                    for at in ticks(entry, one["from"])
                    if at.date() not in one.get("except", ())
                ],
            )
            for entry, one in known.items()
        }

    def verdicts(environment: str, entry: str, checks: list[str], since: datetime) -> PastOfEntry | None:
        known = answers.get("verdicts", {})
        if not known.get("from"):
            return None
        other = known.get("except", {})
        found = [(at, other.get(at.date(), "ok")) for at in ticks(entry, known["from"])]
        runs = [Recorded(time=at, verdict=Verdict(verdict)) for at, verdict in found if verdict]
        return PastOfEntry(known["from"], runs)

    return lambda: SimpleNamespace(reports=reports, verdicts=verdicts)


def capacity_days(answer: Mapping[str, Any], now: datetime) -> Callable[[], Any]:
    """In place of CapacityDays: the same days of each series."""
    first, last = answer.get("from"), answer.get("to")
    days: set[date] = set()
    while first and last and first + len(days) * DAY <= last:
        days.add(first + len(days) * DAY)
    names = answer.get("series", ())

    def measured(environment: str, check: str, day: date) -> Mapping[str, list[float]]:
        return answer.get("measured", {}).get(check, {}) if day >= now.astimezone(UTC).date() - DAY else {}

    return lambda: SimpleNamespace(
        whole_days=lambda *_: {name: dict.fromkeys(days, 288) for name in names},
        last_days=lambda _, before: {name: max(days) for name in names if days and max(days) < before},
        record=lambda *_, **__: None,
        measured=measured,
    )


def statement_snapshots(answer: Any) -> Callable[[], Any]:
    """In place of StatementSnapshots."""

    def stored(*_: Any, **__: Any) -> list[Snapshot]:
        if isinstance(answer, dict):
            raise UnreachableError(answer["broken"])
        return [snapshot_of(statement_rows(one), taken_at=one["at"]) for one in answer]

    return lambda: SimpleNamespace(stored=stored)


def statement_rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of pg_stat_statements; what a fixture does not say of a statement is nothing."""
    plain = dict.fromkeys(("rows_count", "blocks_hit", "blocks_read", "temp_blocks_written"), 0)
    return [
        {
            **plain,
            "query_id": number,
            "user_id": 10,
            "database_id": 5,
            "query": f"SELECT {number} + $1",
            "stats_reset": answer.get("stats_reset"),
            "dealloc": answer.get("dealloc", 0),
            **row,
        }
        for number, row in answer["statements"].items()
    ]
