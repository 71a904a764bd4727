"""Runs that were due by an entry's schedule, held against what the history has of them.

A due time and the one after it bound a slot: what was recorded in it, by schedule or by hand, is that slot's.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from croniter import croniter

from docrag_ops.core.entries import LATE_AFTER, EntryState
from docrag_ops.core.measurements import Measurement
from docrag_ops.core.service_level.windows import age_said, days_said
from docrag_ops.core.verdicts import Verdict

DAY = timedelta(days=1)
_SCHEDULED = re.compile(r"scheduled__(\d{4}-\d{2}-\d{2}T.+)")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """An entry's schedule as its DAG file says it. `cron` is empty for a runbook."""

    entry: str
    cron: str = ""
    late_after: timedelta = LATE_AFTER
    reports: bool = True


@dataclass(frozen=True, kw_only=True)
class Slot:
    """From a due time to the next one."""

    at: datetime
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One run that the history knows; `time` is its due time where it was scheduled, else when it was recorded."""

    time: datetime
    verdict: Verdict | None = None


def recorded(run_id: str, recorded_at: datetime, verdict: Verdict | None = None) -> Recorded:
    """A run of the history. A run that was cleared days later still belongs to the time it was due."""
    found = _SCHEDULED.match(run_id)
    time = recorded_at
    if found:
        try:
            time = datetime.fromisoformat(found[1])
        except ValueError:
            time = recorded_at
    return Recorded(time=time if time.tzinfo else time.replace(tzinfo=UTC), verdict=verdict)


def slots(schedule: Schedule, *, start: datetime, until: datetime) -> list[Slot]:
    """The slots whose due time lies after `start` and not after `until`."""
    ticks = croniter(schedule.cron, start)
    found: list[Slot] = []
    at = ticks.get_next(datetime)
    while at <= until:
        following = ticks.get_next(datetime)
        found.append(Slot(at=at, until=following))
        at = following
    return found


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An entry, what Airflow knows of it, and what the history has of it. `first_at`: its first record ever."""

    schedule: Schedule
    state: EntryState
    runs: Sequence[Recorded] = ()
    first_at: datetime | None = None

    def due(self, *, days: float, now: datetime) -> list[tuple[Slot, Recorded | None]]:
        """Its slots of so many days with the newest run in each; none while it is paused or has never run.

        A run that is due and not late yet may still come: until it does, the days end before it.
        """
        if self.first_at is None or self.state.paused or not self.state.known:
            return []
        late, runs = self.schedule.late_after, sorted(self.runs, key=lambda run: run.time)
        found = [
            (slot, _newest_in(slot, runs))
            for slot in slots(self.schedule, start=now - late - DAY * days, until=now)
        ]
        end = min((slot.at for slot, run in found if run is None and slot.at > now - late), default=now)
        return [
            (slot, run)
            for slot, run in found
            if end - DAY * days <= slot.at <= end and slot.until > self.first_at and (run or slot.at < end)
        ]


def _newest_in(slot: Slot, runs: Sequence[Recorded]) -> Recorded | None:
    """The last of the runs, oldest first, that lies in a slot."""
    place = bisect_left(runs, slot.until, key=lambda run: run.time) - 1
    return runs[place] if place >= 0 and runs[place].time >= slot.at else None


def missed(entries: Iterable[Kept], *, now: datetime) -> Iterator[Measurement]:
    """Per scheduled entry the runs of the last day that should have been and were not."""
    for one in entries:
        name = one.schedule.entry
        reason = _why_not_judged(one)
        if not one.state.known:
            yield Measurement(
                subject=name, problem="Airflow does not know this DAG: look for an import error"
            )
        elif reason:
            yield Measurement(subject=name, not_judged=reason)
        else:
            gone = [slot.at for slot, run in one.due(days=1, now=now) if run is None]
            earlier = sum(run is None for _, run in one.due(days=30, now=now))
            evidence = f"{earlier} in 30 days" if earlier else ""
            if gone:
                times = ", ".join(f"{at:%Y-%m-%d %H:%M}" for at in gone[-5:])
                evidence = f"due at {times} UTC, and no report of it; {evidence}"
            yield Measurement(subject=name, value=len(gone), evidence=evidence)


def _why_not_judged(one: Kept) -> str:
    if one.state.paused:
        return "paused: it does not run until somebody unpauses it"
    if not one.schedule.reports:
        return "it leaves no report; the alert Watchdog ends when it does not run"
    return "first run: it has left no report yet" if one.first_at is None else ""


def runs_kept(
    entries: Sequence[Kept], window_days: Sequence[int], *, first_at: datetime | None, now: datetime
) -> Iterator[Measurement]:
    """Per window the share of due runs that left a report, over all entries that run."""
    for days in window_days:
        reason = _too_young(days, first_at, now)
        due = [(one, slot, run) for one in entries for slot, run in one.due(days=days, now=now)]
        if reason or not due:
            yield Measurement(subject=days_said(days), not_judged=reason or "no run was due yet")
            continue
        by_entry: dict[str, int] = {}
        for one, _, run in due:
            if run is None:
                by_entry[one.schedule.entry] = by_entry.get(one.schedule.entry, 0) + 1
        done = len(due) - sum(by_entry.values())
        names = ", ".join(f"{name} {count}" for name, count in sorted(by_entry.items()))
        evidence = f"{done:,} of {len(due):,} due runs" + (f"; missed: {names}" if names else "")
        yield Measurement(
            subject=days_said(days),
            value=done / len(due),
            numerator=done,
            denominator=len(due),
            evidence=evidence,
        )


def share_proven(entry: Kept, window_days: Sequence[int], *, now: datetime) -> Iterator[Measurement]:
    """Per window the share of an entry's due runs in which its checks did not fail.

    A run that was missed, or left no verdict, proves nothing.
    """
    for days in window_days:
        reason = _too_young(days, entry.first_at, now)
        due = entry.due(days=days, now=now)
        if reason or not due:
            paused = "paused: it proves nothing until somebody unpauses it" if entry.state.paused else ""
            yield Measurement(subject=days_said(days), not_judged=paused or reason or "no run was due yet")
            continue
        bad = [(slot, run) for slot, run in due if run is None or run.verdict is None or run.verdict.fails]
        good = len(due) - len(bad)
        said = ", ".join(f"{slot.at:%Y-%m-%d} {run.verdict if run else 'no run'}" for slot, run in bad[-5:])
        evidence = f"{good:,} of {len(due):,} due runs proved it" + (f"; not: {said}" if said else "")
        yield Measurement(
            subject=days_said(days),
            value=good / len(due),
            numerator=good,
            denominator=len(due),
            evidence=evidence,
        )


def _too_young(days: int, first_at: datetime | None, now: datetime) -> str:
    """Why a window reaches back further than the first record; empty when it does not. The day of the first counts."""
    if first_at is None:
        return "first run: the history has no record of it yet"
    has = (now - first_at) / DAY
    return f"needs {days_said(days)}, has {age_said(has)}" if has < days - 1 else ""
