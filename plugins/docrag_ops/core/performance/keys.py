"""What a sample of Redis' keys and its slow log say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median, quantiles

from docrag_ops.core.key_sample import KeySample, masked, size_of
from docrag_ops.core.measurements import Measured, Measurement, NotConfigured, Outcome, Unmeasured
from docrag_ops.core.units import Unit, format_value

WEEK = timedelta(days=7)
MOST_NAMED = 20
MOST_PREFIXES = 10
MOST_SLOW = 5


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
    for key in sorted(sample.keys, key=lambda one: -one.size_bytes)[:MOST_NAMED]:
        largest.setdefault(masked(key.name), key.size_bytes)  # two may look alike once they are masked
    return Measured(
        tuple(Measurement(subject=name, value=size, evidence=sample.extent) for name, size in largest.items())
    )


def by_prefix(sample: KeySample, *, limit_bytes: float | None) -> Outcome:
    """The memory of all keys that begin alike, as a ratio of what bounds the cache; of a sample, carried on to all."""
    if not limit_bytes:
        return NotConfigured("not configured: neither maxmemory nor redis.memory_limit_bytes is given")
    scale = 1.0 if sample.is_whole or not sample.keys else sample.total / len(sample.keys)
    largest = list(sample.by_prefix().items())[:MOST_PREFIXES]
    return Measured(
        tuple(
            Measurement(
                subject=prefix,
                value=size_of(keys) * scale / limit_bytes,
                evidence=f"{len(keys) * scale:,.0f} keys, {format_value(size_of(keys) * scale, Unit.BYTES)}; "
                f"{sample.extent}",
            )
            for prefix, keys in largest
        )
    )
