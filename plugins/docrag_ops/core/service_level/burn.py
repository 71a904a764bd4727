"""How fast the error budget was spent: the worst of the day per pair of windows, as the alerts see it.

Source: https://sre.google/workbook/alerting-on-slos/ (multiwindow, multi-burn-rate); the guard against low traffic:
below 1 / (burn x (1 - target)) requests one failure alone would be beyond the rate.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Annotated

from pydantic import Field

from docrag_ops.core.measurements import Measurement
from docrag_ops.core.records import Record, load_yaml, parse_record
from docrag_ops.core.units import Unit, format_value

STEP_SECONDS = 300
DAY_SECONDS = 86400


class BurnPair(Record):
    """A burn rate and the two windows over which it has to be exceeded for its alert to fire."""

    burn: Annotated[float, Field(gt=0, description="how many times as fast as the target allows, e.g. 14.4")]
    long_minutes: Annotated[int, Field(gt=0, description="the long window in minutes, e.g. 60")]
    short_minutes: Annotated[int, Field(gt=0, description="the short window in minutes, e.g. 5")]
    hold_minutes: Annotated[int, Field(gt=0, description="for how long before the alert fires, e.g. 2")]
    severity: Annotated[
        str, Field(description="the alert's severity: critical (a page) or warning (a ticket)")
    ]

    @property
    def subject(self) -> str:
        """Its name in findings."""
        return f"{self.burn:g} times over {_span(self.long_minutes)} and {_span(self.short_minutes)}"

    def least_requests(self, target: float) -> float:
        """Below so many requests in the long window a single failure is beyond the rate."""
        return 1 / (self.burn * (1 - target))


class BurnPairs(Record):
    """`include/slo/burn_rates.yaml`."""

    pairs: Annotated[
        tuple[BurnPair, ...], Field(min_length=1, description="a list of burn rates with windows")
    ]


def parse_pairs(text: str, *, where: str) -> tuple[BurnPair, ...]:
    """The pairs of a file.

    :raises DefinitionError: names file, key, value and what was expected.
    """
    return parse_record(BurnPairs, load_yaml(text, where=where), what="the burn rates", where=where).pairs


@dataclass(frozen=True, kw_only=True)
class Counts:
    """Valid and failed requests of each five minutes, by the end of those; a time without data has no entry."""

    valid: Mapping[int, float]
    failed: Mapping[int, float]


def worst_burn(pair: BurnPair, counts: Counts, *, target: float, end: int) -> Measurement:
    """The worst moment of the day before `end`, as a multiple of the pair's own burn rate.

    Worst is where the smaller of both windows' rates was largest: both have to exceed it for the alert to fire.
    """
    times = sorted(counts.valid)
    if not any(time > end - DAY_SECONDS for time in times):
        return Measurement(subject=pair.subject, problem="Prometheus has no requests of the last day")
    valid, failed = (
        list(accumulate((points.get(time, 0.0) for time in times), initial=0.0))
        for points in (counts.valid, counts.failed)
    )

    def within(totals: Sequence[float], time: int, minutes: int) -> float:
        return totals[bisect_left(times, time + 1)] - totals[bisect_left(times, time - minutes * 60 + 1)]

    def burn(time: int, minutes: int) -> float:
        asked = within(valid, time, minutes)
        return within(failed, time, minutes) / asked / (1 - target) if asked > 0 else 0.0

    day = [time for time in times if end - DAY_SECONDS < time <= end]
    least = pair.least_requests(target)
    busy = [time for time in day if within(valid, time, pair.long_minutes) >= least]
    if not busy:
        most = max(within(valid, time, pair.long_minutes) for time in day)
        reason = f"low volume: at most {most:,.0f} requests in {_span(pair.long_minutes)}, needs {least:,.0f}"
        return Measurement(subject=pair.subject, not_judged=reason)
    rates = {time: (burn(time, pair.long_minutes), burn(time, pair.short_minutes)) for time in busy}
    worst = max(busy, key=lambda time: min(rates[time]))
    long, short = rates[worst]
    known = len(day) / (DAY_SECONDS / STEP_SECONDS)
    evidence = (
        f"worst at {datetime.fromtimestamp(worst, UTC):%Y-%m-%d %H:%M} UTC: {long:.3g} over "
        f"{_span(pair.long_minutes)}, {short:.3g} over {_span(pair.short_minutes)}; the alert fires beyond "
        f"{pair.burn:g}; data for {format_value(known, Unit.RATIO)} of the day"
    )
    return Measurement(subject=pair.subject, value=min(long, short) / pair.burn, evidence=evidence)


def _span(minutes: int) -> str:
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
