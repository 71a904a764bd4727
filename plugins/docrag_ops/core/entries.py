"""The calendar's own health: entries that are paused, overdue or not known to Airflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from docrag_ops.core.cluster.quantities import minutes_between
from docrag_ops.core.measurements import Measurement

LATE_AFTER = timedelta(minutes=30)
"""How long after it was due a run that has not ended is late, unless its entry says otherwise."""


@dataclass(frozen=True, kw_only=True)
class EntryState:
    """What Airflow knows of an entry. `next_run_at` is when its next scheduled run is due; None for runbooks."""

    name: str
    known: bool
    paused: bool = False
    next_run_at: datetime | None = None


def paused(entries: Iterable[EntryState], now: datetime) -> Iterator[Measurement]:
    """1 for an entry that is paused, else 0."""
    for entry in entries:
        yield _of(
            entry, int(entry.paused), "it will not run until somebody unpauses it" if entry.paused else ""
        )


def overdue_minutes(entries: Iterable[EntryState], now: datetime) -> Iterator[Measurement]:
    """Minutes since a scheduled run was due and was not started; 0 for paused entries and runbooks."""
    for entry in entries:
        late = 0.0 if entry.paused else minutes_between(entry.next_run_at, now)
        yield _of(
            entry,
            late,
            f"due at {entry.next_run_at:%Y-%m-%d %H:%M} UTC" if late and entry.next_run_at else "",
        )


def _of(entry: EntryState, value: float, evidence: str) -> Measurement:
    if not entry.known:
        return Measurement(
            subject=entry.name,
            problem="Airflow does not know this DAG: its file has an import error, or has not been parsed yet",
        )
    return Measurement(subject=entry.name, value=value, evidence=evidence)
