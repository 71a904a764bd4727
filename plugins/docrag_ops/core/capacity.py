"""The day's figures of what capacity is planned by: each series as data, each day as a few numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from docrag_ops.core.checks import NAME
from docrag_ops.core.records import Record, load_yaml, parse_record
from docrag_ops.core.units import Unit


class CapacitySeries(Record):
    """One record of `include/capacity/series.yaml`: what is kept of every day, from Prometheus or from a check."""

    name: Annotated[str, Field(pattern=NAME, description="lower-case words joined by _, e.g. memory_used")]
    what: Annotated[str, Field(min_length=1, description="what the number is, for a person")]
    subject: Annotated[
        str, Field(min_length=1, description="what one subject is, e.g. a container, by namespace")
    ]
    unit: Annotated[Unit, Field(description=f"one of: {', '.join(Unit)}")]
    promql: Annotated[
        str, Field(description="a file below include/promql/, e.g. capacity/memory_used.promql")
    ] = ""
    check: Annotated[
        str, Field(description="a check whose measurements are taken, e.g. postgres_database_size")
    ] = ""

    @model_validator(mode="after")
    def _has_one_origin(self) -> CapacitySeries:
        if bool(self.promql) is bool(self.check):
            raise ValueError(
                "expected exactly one of 'promql' (a query file) and 'check' (the name of a check)"
            )
        return self


class _AllSeries(Record):
    series: Annotated[
        tuple[CapacitySeries, ...], Field(min_length=1, description="a list of capacity series")
    ]


def parse_series(text: str, *, where: str) -> tuple[CapacitySeries, ...]:
    """The series of a file.

    :raises DefinitionError: names file, key, value and what was expected.
    """
    return parse_record(
        _AllSeries, load_yaml(text, where=where), what="the capacity series", where=where
    ).series


@dataclass(frozen=True, kw_only=True)
class DayFigures:
    """One series of one subject on one UTC day. `count`: how many numbers they were taken of."""

    series: str
    subject: str
    day: date
    unit: str
    mean: float
    p50: float
    p95: float
    max: float
    count: int


def figures(series: CapacitySeries, subject: str, day: date, numbers: Iterable[float]) -> DayFigures | None:
    """The figures of a day's numbers; None when there is none. NaN and infinity are no numbers."""
    ordered = sorted(number for number in numbers if math.isfinite(number))
    if not ordered:
        return None
    return DayFigures(
        series=series.name,
        subject=subject,
        day=day,
        unit=str(series.unit),
        mean=math.fsum(ordered) / len(ordered),
        p50=percentile(ordered, 0.5),
        p95=percentile(ordered, 0.95),
        max=ordered[-1],
        count=len(ordered),
    )


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of ascending numbers lies, between two of them in proportion.

    >>> percentile([1, 2, 3, 4], 0.5), percentile([7], 0.95)
    (2.5, 7.0)
    """
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))
