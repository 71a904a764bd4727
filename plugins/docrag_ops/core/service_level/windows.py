"""The service over a window of days: availability, error budget, downtime and latency, from hours of evidence.

What is not known is not good time: a window that began before the first evidence is not judged, and one with too
many dark minutes cannot be measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from docrag_ops.core.measurements import Measurement
from docrag_ops.core.service_level.hours import MINUTES, Hour
from docrag_ops.core.service_level.latency import quantile
from docrag_ops.core.service_level.spells import PlannedWindow, said, spells
from docrag_ops.core.units import Unit, format_value

HOUR = timedelta(hours=1)
DAY_MINUTES = 24 * MINUTES


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All hours that are known, and up to when it was looked.

    `first_at`: the first hour of which anything was ever known. `unread`: why older or newer hours were not read.
    """

    hours: Mapping[datetime, Hour]
    end: datetime
    first_at: datetime | None
    unread: str = ""


@dataclass(frozen=True, kw_only=True)
class Window:
    """So many days up to the end of the evidence."""

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
        times = (self.start + HOUR * number for number in range(self.days * 24))
        return [known[time] for time in times if time in known]

    @cached_property
    def coverage(self) -> float:
        """For which share of its minutes it is known whether the service was up."""
        return sum(hour.known_minutes for hour in self.hours) / (self.days * DAY_MINUTES)

    @property
    def dark(self) -> str:
        """Its dark spells, for a person; empty when there is none."""
        known = {hour.at: hour for hour in self.hours}
        minutes: list[datetime] = []
        for number in range(self.days * 24):
            time = self.start + HOUR * number
            dark = known[time].dark if time in known else range(MINUTES)
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


def coverage(window: Window) -> Measurement:
    """The share of the window's minutes that are known."""
    first = window.evidence.first_at
    if first is None or first > window.start + HOUR:
        return window.shortage() or Measurement(subject=window.subject, value=0.0)
    return Measurement(subject=window.subject, value=window.coverage, evidence=window.coverage_said)


def availability(window: Window, *, target: float) -> Measurement:
    """Good of valid requests, a ratio."""
    counted = _requests(window, target=target)
    if isinstance(counted, Measurement):
        return counted
    valid, failed = counted
    evidence = f"{failed:,.0f} of {valid:,.0f} requests failed; {window.coverage_said}"
    good = valid - failed
    return Measurement(
        subject=window.subject, value=good / valid, numerator=good, denominator=valid, evidence=evidence
    )


def budget_left(window: Window, *, target: float) -> Measurement:
    """What is left of the failures that the target allows in the window: 1 all, 0 nothing, below 0 overdrawn."""
    counted = _requests(window, target=target)
    if isinstance(counted, Measurement):
        return counted
    valid, failed = counted
    allowed = valid * (1 - target)
    evidence = (
        f"{failed:,.0f} requests failed, {allowed:,.0f} of {valid:,.0f} may at a target of "
        f"{format_value(target, Unit.RATIO)}; {window.coverage_said}"
    )
    return Measurement(
        subject=window.subject,
        value=1 - failed / allowed,
        numerator=failed,
        denominator=allowed,
        evidence=evidence,
    )


def _requests(window: Window, *, target: float) -> tuple[float, float] | Measurement:
    """Valid and failed requests; why there are too few to hold against the target, as a measurement."""
    short = window.shortage()
    if short:
        return short
    counted = [(hour.valid, hour.failed) for hour in window.hours if hour.valid is not None]
    if not counted:
        return Measurement(
            subject=window.subject,
            problem="Prometheus has no series of requests (traffic.variables.requests) while the probe has data",
        )
    valid = sum(valid for valid, _ in counted)
    failed = sum(failed for _, failed in counted)
    least = 1 / (1 - target)
    if valid < least:
        reason = (
            f"low volume: {valid:,.0f} requests, of fewer than {least:,.0f} one failure misses the target"
        )
        return Measurement(subject=window.subject, not_judged=reason)
    return valid, min(failed, valid)


def unplanned_downtime(window: Window, *, target: float, planned: Sequence[PlannedWindow]) -> Measurement:
    """Minutes down outside planned windows, as a share of what the target allows in the window."""
    short = window.shortage()
    if short:
        return short
    down = [time for hour in window.hours for time in hour.times(hour.down)]
    unplanned = [time for time in down if not any(one.holds(time) for one in planned)]
    allowed = window.days * DAY_MINUTES * (1 - target)
    parts = [f"{len(unplanned):,} minutes, {allowed:.3g} are allowed"]
    if unplanned:
        parts.append(f"down {said(spells(unplanned))}")
    reasons = {f"{one.reason} ({one.owner})" for one in planned if any(map(one.holds, down))}
    if reasons:
        parts.append(f"{len(down) - len(unplanned):,} more were planned: {', '.join(sorted(reasons))}")
    return Measurement(
        subject=window.subject,
        value=len(unplanned) / allowed,
        numerator=len(unplanned),
        denominator=allowed,
        evidence="; ".join((*parts, window.coverage_said)),
    )


def p95_seconds(window: Window, *, least_requests: float) -> Measurement:
    """Within how many seconds 95 % of the window's requests were answered."""
    short = window.shortage()
    if short:
        return short
    buckets: dict[str, float] = {}
    for hour in window.hours:
        for bound, count in hour.buckets.items():
            buckets[bound] = buckets.get(bound, 0.0) + count
    if not buckets:
        problem = "Prometheus has no histogram of the requests' duration while the probe has data"
        return Measurement(subject=window.subject, problem=problem)
    value = quantile(0.95, buckets)
    total = max(buckets.values())
    if total < least_requests or value is None:
        reason = f"low volume: {total:,.0f} requests, needs {least_requests:,.0f}"
        return Measurement(subject=window.subject, not_judged=reason)
    evidence = f"of {total:,.0f} requests; {window.coverage_said}"
    return Measurement(subject=window.subject, value=value, evidence=evidence)


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
