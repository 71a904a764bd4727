"""A window of days: the hours of evidence that lie in it, and whether they are enough to judge it by.

What is not known is not good time: a window that began before the first evidence is not judged, and one with too
many dark minutes cannot be measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from docrag_ops.core.measurements import Measurement
from docrag_ops.core.service_level.hours import MINUTES, Hour
from docrag_ops.core.service_level.spells import said, spells
from docrag_ops.core.units import Unit, format_value

HOUR = timedelta(hours=1)
DAY_MINUTES = 24 * MINUTES


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All hours that are known, and up to which full hour (`end`) and how many minutes of the next one it was looked.

    `first_at`: the first hour of which anything was ever known. `unread`: why older or newer hours were not read.
    """

    hours: Mapping[datetime, Hour]
    end: datetime
    first_at: datetime | None
    unread: str = ""
    minutes_since: int = 0


@dataclass(frozen=True, kw_only=True)
class Window:
    """So many days up to the last full hour, and what has passed of the next one."""

    days: int
    evidence: Evidence
    least_coverage: float

    @property
    def subject(self) -> str:
        """Its name in findings."""
        return days_said(self.days)

    @property
    def start(self) -> datetime:
        """Where it begins."""
        return self.evidence.end - timedelta(days=self.days)

    @cached_property
    def hours(self) -> list[Hour]:
        """Its hours that are known, oldest first."""
        known = self.evidence.hours
        return [known[time] for time in self._lengths if time in known]

    @cached_property
    def _lengths(self) -> dict[datetime, int]:
        """All its hours, with the minutes that each has in it."""
        lengths = {self.start + HOUR * number: MINUTES for number in range(self.days * 24)}
        since = self.evidence.minutes_since
        return {**lengths, self.evidence.end: since} if since else lengths

    @cached_property
    def coverage(self) -> float:
        """For which share of its minutes it is known whether the service was up."""
        return sum(hour.known_minutes for hour in self.hours) / sum(self._lengths.values())

    @property
    def dark(self) -> str:
        """Its dark spells, for a person; empty when there is none."""
        known = {hour.at: hour for hour in self.hours}
        minutes: list[datetime] = []
        for time, length in self._lengths.items():
            dark = known[time].dark if time in known else range(length)
            minutes += [time + timedelta(minutes=minute) for minute in dark]
        return said(spells(minutes))

    def shortage(self) -> Measurement | None:
        """Why it cannot be judged (yet), as its measurement; None when there is evidence enough."""
        first = self.evidence.first_at
        if first is None:
            return self._unknown("Prometheus has no data of the probe at all (slo.probe in the environment)")
        if first > self.start + HOUR:
            has = age_said((self.evidence.end - first) / timedelta(days=1))
            reason = f"needs {self.subject}, has {has}"
            return Measurement(
                subject=self.subject, not_judged="; ".join(filter(None, (reason, self.evidence.unread)))
            )
        if self.coverage < self.least_coverage:
            return self._unknown(self.coverage_said)
        return None

    @property
    def coverage_said(self) -> str:
        """How much of it is known, and what is not."""
        share = f"data for {format_value(self.coverage, Unit.RATIO)} of the window"
        dark = self.dark
        return f"{share}; none from {dark}" if dark else share

    def _unknown(self, reason: str) -> Measurement:
        return Measurement(
            subject=self.subject, problem="; ".join(filter(None, (reason, self.evidence.unread)))
        )


def days_said(days: int) -> str:
    """A number of days for a person.

    >>> days_said(1), days_said(30)
    ('1 day', '30 days')
    """
    return "1 day" if days == 1 else f"{days} days"


def age_said(days: float) -> str:
    """How much there is, for a person: whole days, below two days hours.

    >>> age_said(60.9), age_said(0.3)
    ('60', '7 hours')
    """
    return f"{int(days)}" if days >= 2 else f"{int(days * 24)} hours"
