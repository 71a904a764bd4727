"""What statements gained between snapshots of pg_stat_statements, whose counters only grow until they begin again.

Gains are summed from one snapshot to the next, so that a reset costs what was counted since the snapshot before it,
and not the week. Source: https://www.postgresql.org/docs/current/pgstatstatements.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import pairwise
from typing import Any, NamedTuple

MOST_KEPT = 300
"""So many statements a snapshot has, those with the most time; fewer are all there were."""
NEARLY_ALL = 10
"""A statement that is not in a full snapshot had less time than the least in it; with ten times as much, it is new."""


class Key(NamedTuple):
    """A statement of a role in a database; the same text is another statement elsewhere."""

    query_id: int
    user_id: int
    database_id: int


@dataclass(frozen=True)
class Counters:
    """One statement's counters; times are planning and execution, blocks have 8 KiB."""

    calls: int = 0
    total_ms: float = 0.0
    rows: int = 0
    blocks_hit: int = 0
    blocks_read: int = 0
    temp_blocks_written: int = 0

    def __add__(self, other: Counters) -> Counters:
        return Counters(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Counters)))

    def __sub__(self, other: Counters) -> Counters:
        return Counters(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(Counters)))

    @property
    def mean_seconds(self) -> float:
        """The mean time of a call."""
        return self.total_ms / self.calls / 1000 if self.calls else 0.0


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """pg_stat_statements at one time."""

    taken_at: datetime
    stats_reset: datetime | None
    dealloc: int | None
    counters: Mapping[Key, Counters]
    texts: Mapping[Key, str]
    is_full: bool

    @property
    def least_ms(self) -> float:
        """The time of the statement with the least of it."""
        return min((one.total_ms for one in self.counters.values()), default=0.0)


@dataclass(frozen=True, kw_only=True)
class Gains:
    """What all statements gained from one snapshot to another.

    `resets` says in words when all counters began again, `begun_again` counts statements that did so by themselves.
    """

    start: datetime
    end: datetime
    counters: Mapping[Key, Counters]
    resets: tuple[str, ...]
    begun_again: int
    evictions: int | None

    @property
    def days(self) -> float:
        """How long it is from the first to the last snapshot."""
        return (self.end - self.start).total_seconds() / 86_400


def snapshot_of(rows: Iterable[Mapping[str, Any]], *, taken_at: datetime) -> Snapshot:
    """A snapshot of the rows of include/sql/postgres/statements.sql, or of the table `statements`.

    A statement that was called by itself and from within a function has two rows, which are summed.
    """
    counters: dict[Key, Counters] = {}
    texts: dict[Key, str] = {}
    found = list(rows)
    for row in found:
        key = Key(row["query_id"], row["user_id"], row["database_id"])
        own = Counters(
            calls=row["calls"],
            total_ms=row["total_ms"],
            rows=row["rows_count"],
            blocks_hit=row["blocks_hit"],
            blocks_read=row["blocks_read"],
            temp_blocks_written=row["temp_blocks_written"],
        )
        counters[key] = counters.get(key, Counters()) + own
        texts[key] = row["query"]
    first = found[0] if found else {}
    return Snapshot(
        taken_at=taken_at,
        stats_reset=first.get("stats_reset"),
        dealloc=first.get("dealloc"),
        counters=counters,
        texts=texts,
        is_full=len(found) >= MOST_KEPT,
    )


def gains(snapshots: Sequence[Snapshot]) -> Gains:
    """What every statement gained over at least two snapshots, oldest first."""
    known = dict(snapshots[0].counters)
    total: dict[Key, Counters] = {}
    resets: list[str] = []
    begun_again, evictions = 0, 0
    for before, after in pairwise(snapshots):
        reset = _reset_between(before, after)
        if reset:
            resets.append(reset)
            known = {}
        evictions += _evicted(before, after, is_reset=bool(reset))
        for key, now in after.counters.items():
            last = known.get(key)
            if last and now.calls < last.calls:
                begun_again += 1
                last = Counters()
            if last is None:
                last = Counters() if reset or _is_new(now, before) else now
            known[key] = now
            total[key] = total.get(key, Counters()) + (now - last)
    return Gains(
        start=snapshots[0].taken_at,
        end=snapshots[-1].taken_at,
        counters=total,
        resets=tuple(resets),
        begun_again=begun_again,
        evictions=None if snapshots[-1].dealloc is None else evictions,
    )


def _is_new(now: Counters, before: Snapshot) -> bool:
    """Whether a statement that was not seen before can be counted from 0, and not from when it is first seen."""
    return not before.is_full or now.total_ms >= NEARLY_ALL * before.least_ms


def _reset_between(before: Snapshot, after: Snapshot) -> str:
    """Why all counters must have begun again; empty when they did not.

    A crash discards the counters, and need not change `stats_reset`: then most of them fall.
    """
    span = f"between {before.taken_at:%Y-%m-%d %H:%M} and {after.taken_at:%Y-%m-%d %H:%M} UTC"
    was, now = before.stats_reset, after.stats_reset
    if was and now and was != now:
        return f"{span}: stats_reset went from {was:%Y-%m-%d %H:%M:%S} to {now:%Y-%m-%d %H:%M:%S}"
    common = [key for key in after.counters if key in before.counters]
    fell = sum(after.counters[key].calls < before.counters[key].calls for key in common)
    if fell * 2 > len(common):
        return f"{span}: {fell:,} of {len(common):,} counters fell"
    return ""


def _evicted(before: Snapshot, after: Snapshot, *, is_reset: bool) -> int:
    if after.dealloc is None:
        return 0
    return after.dealloc if is_reset else max(0, after.dealloc - (before.dealloc or 0))
