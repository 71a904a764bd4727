"""What the service was over a window of days: availability, error budget, downtime and latency.

Each is a measurement with its evidence; of a window without evidence enough it says why there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

from docrag_ops.core.measurements import Measurement
from docrag_ops.core.service_level.latency import quantile
from docrag_ops.core.service_level.spells import PlannedWindow, said, spells
from docrag_ops.core.service_level.windows import DAY_MINUTES, HOUR, Window
from docrag_ops.core.units import Unit, format_value


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
            problem="Prometheus has no requests with a label `status` (traffic.variables.requests) while the probe "
            "has data",
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
