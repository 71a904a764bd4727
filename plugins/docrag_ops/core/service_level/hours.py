"""One hour of service: what was asked and failed, and which of its minutes were down, or dark (nobody knows).

What Prometheus says of a window of minutes is said of the whole window: only when no sample at all lies in it, or
every probe in it failed, or every request in it, is that true of each of its minutes. So a spell's length is right
to the scrape interval, and one that is shorter than the window is not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MINUTE, HOUR = 60, 3600
MINUTES = HOUR // MINUTE
Points = Mapping[int, float]
"""Seconds since the epoch -> value; a time without a value has no entry."""


@dataclass(frozen=True, kw_only=True)
class Hour:
    """One UTC hour, or the current one so far. `valid` is None when Prometheus had no series of requests at all.

    `buckets`: upper bound as Prometheus writes it -> requests answered within it, cumulative.
    `dark`, `down`: minutes of the hour, 0-59.
    """

    at: datetime
    valid: float | None
    failed: float
    buckets: Mapping[str, float]
    dark: tuple[int, ...] = ()
    down: tuple[int, ...] = ()
    minutes: int = MINUTES

    @property
    def known_minutes(self) -> int:
        """For how many of its minutes it is known whether the service was up."""
        return self.minutes - len(self.dark)

    def times(self, minutes: Iterable[int]) -> list[datetime]:
        """Minutes of the hour as times."""
        return [self.at + timedelta(minutes=minute) for minute in minutes]


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What Prometheus says about some hours.

    `probe`, `valid`, `failed`: every minute, about the window before it; `valid_hourly` and so on at the end of each
    hour (of the current one: at its last minute), about that hour.
    """

    probe: Points
    valid: Points
    failed: Points
    valid_hourly: Points
    failed_hourly: Points
    buckets_hourly: Mapping[str, Points]


def hours_of(
    answers: Answers,
    *,
    start: datetime,
    end: datetime,
    window_minutes: int,
    least_requests: float,
    until: int,
) -> list[Hour]:
    """The hours from start to end; those of which nothing at all is known are left out.

    :param least_requests: a window with fewer is not called down for its errors; the probe still decides
    :param until: the last time that was asked about, in seconds since the epoch
    """
    first, last = int(start.timestamp()), int(end.timestamp())
    asked = range(first + MINUTE, min(last + window_minutes * MINUTE, until) + 1, MINUTE)

    def minutes_where(true: Callable[[int], bool]) -> set[int]:
        spans = (range(time - window_minutes * MINUTE, time, MINUTE) for time in asked if true(time))
        return {minute for span in spans for minute in span}

    def is_down(time: int) -> bool:
        if answers.probe.get(time) == 0:
            return True
        asked_for = answers.valid.get(time, 0.0)
        return asked_for >= least_requests and answers.failed.get(time, 0.0) >= asked_for * (1 - 1e-9)

    down = minutes_where(is_down)
    dark = minutes_where(lambda time: time not in answers.probe) - down
    hours = [
        _hour(begin, min(begin + HOUR, last), answers, dark=dark, down=down)
        for begin in range(first, last, HOUR)
    ]
    return [hour for hour in hours if hour.known_minutes]


def _hour(begin: int, end: int, answers: Answers, *, dark: set[int], down: set[int]) -> Hour:
    minutes = range(begin, end, MINUTE)
    return Hour(
        at=datetime.fromtimestamp(begin, UTC),
        valid=answers.valid_hourly.get(end),
        failed=answers.failed_hourly.get(end, 0.0),
        buckets={bound: points[end] for bound, points in answers.buckets_hourly.items() if end in points},
        dark=tuple((minute - begin) // MINUTE for minute in minutes if minute in dark),
        down=tuple((minute - begin) // MINUTE for minute in minutes if minute in down),
        minutes=len(minutes),
    )
