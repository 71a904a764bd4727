"""What a sample of Redis' keys and its slow log say."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome, Unmeasured
from docrag_ops.core.units import Unit, format_value

WEEK = timedelta(days=7)
MOST_NAMED = 20
MOST_PREFIXES = 10
MOST_SLOW = 5
NO_PREFIX = "(no prefix)"
_LONG = re.compile(r"[A-Za-z0-9_-]{20,}")
_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class KeySample:
    """Keys with their bytes: `is_whole` when these are all of them, else `total` says how many there are."""

    sizes: Mapping[str, int]
    total: int
    is_whole: bool

    @property
    def said(self) -> str:
        """How much of the database was looked at."""
        if self.is_whole:
            return f"all {len(self.sizes):,} keys looked at"
        return f"{len(self.sizes):,} of {self.total:,} keys looked at"


@dataclass(frozen=True, kw_only=True)
class SlowCommand:
    """One entry of the slow log; `at` in seconds since the epoch."""

    at: int
    seconds: float
    name: str
    key: str


@dataclass(frozen=True, kw_only=True)
class SlowLog:
    """The newest entries, and from how many microseconds a command is logged (negative: none, None: not known)."""

    commands: Sequence[SlowCommand]
    threshold: int | None


def latency(seconds: Sequence[float]) -> Outcome:
    """The median of the pings."""
    slowest = quantiles(seconds, n=20)[-1]
    evidence = (
        f"{len(seconds):,} pings, 95 % within {format_value(slowest, Unit.SECONDS)}, "
        f"the slowest {format_value(max(seconds), Unit.SECONDS)}"
    )
    return Measured((Measurement(subject="redis", value=median(seconds), evidence=evidence),))


def slowest_command(log: SlowLog, *, now: datetime) -> Outcome:
    """The longest command of the last week."""
    if not log.commands and log.threshold is None:
        return Unmeasured(
            "the slow log is empty, and CONFIG GET slowlog-log-slower-than is refused: is it on?"
        )
    if log.threshold is not None and log.threshold < 0:
        return Unmeasured("slowlog-log-slower-than is negative: no command is ever logged as slow")
    recent = [one for one in log.commands if one.at >= (now - WEEK).timestamp()]
    longest = sorted(recent, key=lambda one: -one.seconds)
    listed = "; ".join(
        f"{datetime.fromtimestamp(one.at, UTC):%Y-%m-%d %H:%M} {one.name} {masked(one.key)} "
        f"{format_value(one.seconds, Unit.SECONDS)}"
        for one in longest[:MOST_SLOW]
    )
    evidence = (
        f"{len(recent):,} slow commands in the last week (the log keeps few): {listed}" if recent else ""
    )
    if not recent:
        return Measured(())
    return Measured((Measurement(subject="redis", value=longest[0].seconds, evidence=evidence),))


def biggest(sample: KeySample) -> Outcome:
    """The largest keys, each with its bytes."""
    largest: dict[str, int] = {}
    for name, size in sorted(sample.sizes.items(), key=lambda one: -one[1])[:MOST_NAMED]:
        largest.setdefault(masked(name), size)  # two may look alike once they are masked
    return Measured(
        tuple(Measurement(subject=name, value=size, evidence=sample.said) for name, size in largest.items())
    )


def by_prefix(sample: KeySample, *, limit_bytes: float | None) -> Outcome:
    """The memory of all keys that begin alike, as a ratio of what bounds the cache; of a sample, carried on to all."""
    if not limit_bytes:
        return NotConfigured("not configured: neither maxmemory nor redis.memory_limit_bytes is given")
    scale = 1.0 if sample.is_whole or not sample.sizes else sample.total / len(sample.sizes)
    sizes: dict[str, list[int]] = {}
    for name, size in sample.sizes.items():
        sizes.setdefault(prefix_of(name), []).append(size)
    largest = sorted(((sum(found), len(found), prefix) for prefix, found in sizes.items()), reverse=True)
    return Measured(
        tuple(
            Measurement(
                subject=prefix,
                value=size * scale / limit_bytes,
                evidence=f"{count * scale:,.0f} keys, {format_value(size * scale, Unit.BYTES)}; {sample.said}",
            )
            for size, count, prefix in largest[:MOST_PREFIXES]
        )
    )


def prefix_of(name: str) -> str:
    """What stands before the first colon.

    >>> prefix_of("session:42"), prefix_of("lonely")
    ('session', '(no prefix)')
    """
    prefix, colon, _ = name.partition(":")
    return masked(prefix) if colon and prefix else NO_PREFIX


def masked(name: str) -> str:
    """A key's name without what lets its finder in: of a long part with digits (a session's token) only the beginning.

    >>> masked("session:6f1c2b7a9d3e4f5a6b7c8d9e"), masked("cache:document-embeddings-of-all")
    ('session:6f1c2b7a…', 'cache:document-embeddings-of-all')
    """
    return _LONG.sub(lambda part: _beginning(part[0]), name)


def _beginning(part: str) -> str:
    return f"{part[:_SHOWN]}…" if sum(one.isdigit() for one in part) >= 3 else part
