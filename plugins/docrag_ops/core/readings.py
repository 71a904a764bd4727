"""What of a measurement is compared with the limits: the number, its gain since last time, or its ratio to the usual.

A window is the difference from the last recorded sample, never a sleep.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from docrag_ops.core.checks import Check, Reading
from docrag_ops.core.measurements import Measurement, Sample
from docrag_ops.core.units import Unit, format_value

History = Mapping[str, Sequence[Sample]]
"""Earlier samples of one check by subject, oldest first."""


@dataclass(frozen=True)
class Read:
    """A number that can be compared with the limits, in their unit."""

    value: float
    note: str = ""


@dataclass(frozen=True)
class NoBaseline:
    """There is nothing to compare with yet."""

    reason: str


@dataclass(frozen=True)
class Unreadable:
    """The measurement is no measurement."""

    reason: str


def read(
    check: Check, measurement: Measurement, *, history: History, now: datetime
) -> Read | NoBaseline | Unreadable:
    """Apply the check's reading to one measurement."""
    if measurement.problem:
        return Unreadable(measurement.problem)
    if measurement.not_judged:
        return NoBaseline(measurement.not_judged)
    for name in _needed(check):
        number = getattr(measurement, name)
        if not _is_number(number):
            return Unreadable(f"the source answered {number!r} for {name}; expected a number")
    match check.reading:
        case Reading.VALUE:
            return Read(_number(measurement.value))
        case Reading.TIMES_MEDIAN:
            return _times_median(check, measurement, history=history, now=now)
        case _:
            return _since_last_sample(check, measurement, history=history, now=now)


def _needed(check: Check) -> tuple[str, ...]:
    return ("numerator", "denominator") if check.reading is Reading.SHARE else ("value",)


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _is_readable(check: Check, sample: Sample) -> bool:
    return all(_is_number(getattr(sample, name)) for name in _needed(check))


def _since_last_sample(
    check: Check, measurement: Measurement, *, history: History, now: datetime
) -> Read | NoBaseline | Unreadable:
    if not history:
        return NoBaseline("first run")
    last = next(reversed(history.get(measurement.subject, ())), None)
    since = f"since {last.measured_at:%Y-%m-%d %H:%M} UTC" if last else "since it was first seen"
    if last and not _is_readable(check, last):
        return NoBaseline("the last sample is no number")
    if check.reading is Reading.SHARE:
        return _share(check, measurement, last, since=since)
    gain = _gain(measurement.value, last.value if last else None, measurement, last)
    if check.reading is Reading.INCREASE:
        return Read(gain, f"{format_value(gain, check.limits.unit)} {since}")
    if last is None:
        return NoBaseline("first run for this subject")
    seconds = (now - last.measured_at).total_seconds()
    if seconds <= 0:
        return Unreadable(
            f"the last sample is dated {last.measured_at.isoformat()}, later than now: check the clocks"
        )
    period = 60.0 if check.limits.unit is Unit.PER_MINUTE else 1.0
    return Read(gain / seconds * period, f"{gain:,.0f} {since}")


def _share(check: Check, measurement: Measurement, last: Sample | None, *, since: str) -> Read | NoBaseline:
    if last and (
        _number(measurement.numerator) < _number(last.numerator) or _rest(measurement) < _rest(last)
    ):
        last = None  # both parts (hits and misses) are counters: when one fell, both began again
    numerator = _gain(measurement.numerator, last.numerator if last else None, measurement, last)
    denominator = _gain(measurement.denominator, last.denominator if last else None, measurement, last)
    volume = check.minimum_volume or 1
    if denominator < volume:
        return NoBaseline(f"low volume: {denominator:,.0f} {since}, needs {volume:,.0f}")
    return Read(numerator / denominator, f"{numerator:,.0f} of {denominator:,.0f} {since}")


def _rest(counted: Measurement | Sample) -> float:
    return _number(counted.denominator) - _number(counted.numerator)


def _gain(
    current: float | None, before: float | None, measurement: Measurement, last: Sample | None
) -> float:
    """A counter's gain; all of it when the counter began again (as Prometheus counts a reset)."""
    value = _number(current)
    if last is None or before is None or last.epoch != measurement.epoch or value < before:
        return value
    return value - before


def _times_median(
    check: Check, measurement: Measurement, *, history: History, now: datetime
) -> Read | NoBaseline | Unreadable:
    baseline = check.baseline
    if baseline is None:
        raise ValueError(f"check {check.name!r} reads times_median without a baseline")
    recent = _daily(check, history.get(measurement.subject, ()), baseline.days, now=now)
    if len(recent) < baseline.minimum_days:
        return NoBaseline(f"needs {baseline.minimum_days} days, has {len(recent)}")
    usual = max(median(recent), baseline.usual_at_least or 0)
    value = _number(measurement.value)
    if check.minimum_volume and max(usual, value) < check.minimum_volume:
        return NoBaseline(f"low volume: usually fewer than {check.minimum_volume:,.0f}")
    if usual == 0:
        return Read(1.0, "0 as usual") if value == 0 else NoBaseline("the usual value is 0: no ratio exists")
    return Read(value / usual, f"{value:,.6g} now, usually {usual:,.6g} (median of {len(recent)} days)")


def _daily(check: Check, samples: Sequence[Sample], days: int, *, now: datetime) -> list[float]:
    """The last number of each of so many days before today."""
    by_day = {
        sample.measured_at.date(): _number(sample.value) for sample in samples if _is_readable(check, sample)
    }
    return [by_day[day] for day in sorted(by_day) if 1 <= (now.date() - day).days <= days]


def gone_subjects(
    check: Check, measurements: Iterable[Measurement], *, history: History, now: datetime
) -> Iterator[tuple[str, str]]:
    """Subjects that had a baseline and are not measured any more, each with what is known of it.

    Only for readings that compare with past days: a pod that is gone is no news, a table is.
    """
    if check.baseline is None:
        return
    there = {measurement.subject for measurement in measurements}
    for subject, samples in history.items():
        recent = _daily(check, samples, check.baseline.days, now=now)
        enough = len(recent) >= check.baseline.minimum_days
        if subject not in there and enough and median(recent) >= (check.minimum_volume or 0):
            last = max(sample.measured_at for sample in samples)
            yield subject, f"it was measured until {last:%Y-%m-%d %H:%M} UTC, and is not there any more"


def _number(value: float | None) -> float:
    if value is None:
        raise ValueError("a measurement without a number has to be refused before it is read")
    return float(value)
