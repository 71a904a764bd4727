"""The week's statements held against the week before, as measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from docrag_ops.core.measurements import Measured, Measurement, Outcome, TooLittle, Unmeasured
from docrag_ops.core.performance.snapshots import Counters, Gains, Key, Snapshot, gains
from docrag_ops.core.units import Unit, format_value

WEEK = timedelta(days=7)
LEAST_CALLS = 100
LEAST_SECONDS = 0.001
MOST_LOADED = 10
BLOCK_BYTES = 8192


@dataclass(frozen=True, kw_only=True)
class Weeks:
    """This week's gains, those of the week before where there are any, and how statements are called."""

    now: Snapshot
    newest: datetime
    this: Gains
    before: Gains | None
    names: Mapping[tuple[str, int], str]


def weeks_of(
    stored: Sequence[Snapshot], live: Snapshot, names: Mapping[tuple[str, int], str]
) -> Weeks | Outcome:
    """Cut the snapshots into weeks; the outcome of every question when there is nothing to compare with.

    A week begins with the last snapshot that is a week old, or with the first one there is.

    :param stored: oldest first
    """
    if not live.counters:
        return Unmeasured("pg_stat_statements has no statements at all: nothing is being recorded")
    if not stored:
        return TooLittle("first run: needs a snapshot that daily_health_check stored before")
    start = _start(stored, live.taken_at - WEEK)
    earlier = [one for one in stored if one.taken_at <= start.taken_at]
    first = _start(earlier, start.taken_at - WEEK)
    this = [one for one in stored if one.taken_at >= start.taken_at]
    last = [one for one in earlier if one.taken_at >= first.taken_at]
    return Weeks(
        now=live,
        newest=stored[-1].taken_at,
        this=gains([*this, live]),
        before=gains(last) if len(last) > 1 else None,
        names=names,
    )


def _start(snapshots: Sequence[Snapshot], wanted: datetime) -> Snapshot:
    return next((one for one in reversed(snapshots) if one.taken_at <= wanted), snapshots[0])


def age(weeks: Weeks) -> Outcome:
    """Days since the newest stored snapshot."""
    days = (weeks.now.taken_at - weeks.newest).total_seconds() / 86_400
    return Measured((Measurement(subject="snapshots", value=days, evidence=_span(weeks.this)),))


def load(weeks: Weeks) -> Outcome:
    """The statements with the most time, each as the number of sessions that it kept busy."""
    seconds = max((weeks.this.end - weeks.this.start).total_seconds(), 1.0)
    called = [one for one in weeks.this.counters.items() if one[1].calls]
    most = sorted(called, key=lambda one: -one[1].total_ms)[:MOST_LOADED]
    return Measured(
        tuple(
            Measurement(
                subject=_subject(weeks, key),
                value=gained.total_ms / 1000 / seconds,
                evidence=_evidence(weeks, key, gained),
            )
            for key, gained in most
        )
    )


def slow(weeks: Weeks) -> Outcome:
    """The mean time of every statement that was called often enough to matter."""
    return Measured(
        tuple(
            Measurement(
                subject=_subject(weeks, key),
                value=gained.mean_seconds,
                evidence=_evidence(weeks, key, gained),
            )
            for key, gained in weeks.this.counters.items()
            if gained.calls >= LEAST_CALLS
        )
    )


def slower(weeks: Weeks) -> Outcome:
    """The mean time as a multiple of the week before, of what was called often in both."""
    before = weeks.before
    if before is None:
        return TooLittle(f"needs snapshots of two weeks, has {weeks.this.days:.1f} days")
    found = []
    for key, gained in weeks.this.counters.items():
        usual = before.counters.get(key, Counters())
        often = min(gained.calls, usual.calls) >= LEAST_CALLS
        if often and usual.mean_seconds and gained.mean_seconds >= LEAST_SECONDS:
            was = f"{format_value(usual.mean_seconds, Unit.SECONDS)} the week before ({usual.calls:,} calls)"
            found.append(
                Measurement(
                    subject=_subject(weeks, key),
                    value=gained.mean_seconds / usual.mean_seconds,
                    evidence=f"{was}; {_evidence(weeks, key, gained)}",
                )
            )
    return Measured(tuple(found))


def resets(weeks: Weeks) -> Outcome:
    """How often all counters began again."""
    parts = [weeks.before, weeks.this] if weeks.before else [weeks.this]
    times = [time for part in parts for time in part.resets]
    alone = sum(part.begun_again for part in parts)
    said = [*times, f"{alone:,} statements began again by themselves" if alone else "", _span(weeks.this)]
    evidence = "; ".join(text for text in said if text)
    return Measured((Measurement(subject="pg_stat_statements", value=len(times), evidence=evidence),))


def evictions(weeks: Weeks) -> Outcome:
    """How often the statements that were called least were dropped."""
    if weeks.this.evictions is None:
        return TooLittle("not configured: pg_stat_statements before 1.9 does not count it")
    evidence = _span(weeks.this)
    return Measured(
        (Measurement(subject="pg_stat_statements", value=weeks.this.evictions, evidence=evidence),)
    )


def _span(part: Gains) -> str:
    return f"from {part.start:%Y-%m-%d %H:%M} to {part.end:%Y-%m-%d %H:%M} UTC, {part.days:.1f} days"


def _subject(weeks: Weeks, key: Key) -> str:
    role = weeks.names.get(("role", key.user_id), f"role {key.user_id}")
    database = weeks.names.get(("database", key.database_id), f"database {key.database_id}")
    return f"query {key.query_id} of {role} in {database}"


def _evidence(weeks: Weeks, key: Key, gained: Counters) -> str:
    read, temporary = (
        format_value(blocks * BLOCK_BYTES, Unit.BYTES)
        for blocks in (gained.blocks_read, gained.temp_blocks_written)
    )
    return (
        f"{gained.calls:,} calls, {format_value(gained.total_ms / 1000, Unit.SECONDS)} in all, "
        f"{format_value(gained.mean_seconds, Unit.SECONDS)} each, {gained.rows:,} rows, {read} read, {temporary} to "
        f"temporary files, {_span(weeks.this)}: {weeks.now.texts.get(key, 'its text is not there any more')}"
    )
