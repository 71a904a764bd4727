"""Charts of two weeks by the hour, this week over the week before, as lines of SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field

from docrag_ops.core.checks import NAME
from docrag_ops.core.measurements import Measurement
from docrag_ops.core.records import Record, load_yaml, parse_record
from docrag_ops.core.units import Unit

WIDTH, HEIGHT, MARGIN = 300.0, 80.0, 2.0
WEEK_HOURS = 168
STEP_SECONDS = 3600
MOST_SUBJECTS = 12
HOUR = timedelta(hours=1)
Numbers = tuple[float | None, ...]


class ChartKind(Record):
    """One record of `include/charts/routes.yaml`: what is drawn of every route."""

    name: Annotated[str, Field(pattern=NAME, description="lower-case words joined by _, e.g. error_ratio")]
    title: Annotated[str, Field(min_length=1, description="what the number is, for a person")]
    unit: Annotated[Unit, Field(description=f"one of: {', '.join(Unit)}")]
    promql: Annotated[str, Field(min_length=1, description="a file below include/promql/")]


class _AllKinds(Record):
    charts: Annotated[tuple[ChartKind, ...], Field(min_length=1, description="a list of charts")]


def parse_charts(text: str, *, where: str) -> tuple[ChartKind, ...]:
    """The charts of a file.

    :raises DefinitionError: names file, key, value and what was expected.
    """
    return parse_record(_AllKinds, load_yaml(text, where=where), what="the charts", where=where).charts


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One number of one route, by the hour; None is an hour of which nothing is known."""

    kind: str
    title: str
    subject: str
    unit: str
    ends_at: datetime
    this_week: Numbers
    week_before: Numbers

    @property
    def highest(self) -> float:
        """The greatest number of both weeks."""
        return max((one for one in (*self.this_week, *self.week_before) if one is not None), default=0.0)


def chart_of(kind: ChartKind, subject: str, points: Mapping[int, float], *, end: datetime) -> Chart:
    """The chart of a series whose points are hours apart, the last one at the end."""
    last = int(end.timestamp())
    times = [last - back * STEP_SECONDS for back in reversed(range(2 * WEEK_HOURS))]
    numbers = tuple(points.get(time) for time in times)
    return Chart(
        kind=kind.name,
        title=kind.title,
        subject=subject,
        unit=str(kind.unit),
        ends_at=end,
        this_week=numbers[WEEK_HOURS:],
        week_before=numbers[:WEEK_HOURS],
    )


def coverage(charts: Sequence[Chart]) -> Measurement:
    """Of how many of the week's hours the route with the most numbers has one, as a ratio."""
    fullest = max(charts, key=lambda one: sum(value is not None for value in one.this_week))
    known = sum(value is not None for value in fullest.this_week)
    is_older = any(value is not None for value in fullest.week_before)
    first = next((place for place, value in enumerate(fullest.this_week) if value is not None), WEEK_HOURS)
    if not is_older and first > 1:
        reason = f"needs 7 days, has {(WEEK_HOURS - first) / 24:.1f}"
        return Measurement(subject="charts", value=known / WEEK_HOURS, not_judged=reason)
    evidence = f"{known} of {WEEK_HOURS} hours of {fullest.subject}, {len(charts)} routes"
    return Measurement(subject="charts", value=known / WEEK_HOURS, evidence=evidence)


def chart_lines(values: Sequence[float | None], highest: float) -> list[str]:
    """The points of SVG polylines, left to right; an hour without a number is a gap between two of them.

    >>> chart_lines([0, 10, None, 5, 10], 10)
    ['2.0,78.0 76.0,2.0', '224.0,40.0 298.0,2.0']
    """
    return [line for line in _lines(values, highest) if line]


def _lines(values: Sequence[float | None], highest: float) -> Iterator[str]:
    step = (WIDTH - 2 * MARGIN) / max(1, len(values) - 1)
    line: list[str] = []
    for place, value in enumerate(values):
        if value is None:
            yield " ".join(line)
            line = []
            continue
        height = (HEIGHT - 2 * MARGIN) * (min(value, highest) / highest if highest else 0)
        line.append(f"{MARGIN + place * step:.1f},{HEIGHT - MARGIN - height:.1f}")
    yield " ".join(line)
