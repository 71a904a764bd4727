"""A check as data: one question with a measurement, limits and their reason, a remedy and a runbook."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, model_validator

from docrag_ops.core.errors import DefinitionError
from docrag_ops.core.records import Record, load_yaml, parse_record
from docrag_ops.core.units import Unit

NAME = r"^[a-z][a-z0-9_]*$"


class Reading(StrEnum):
    """What of a measurement is compared with the limits.

    value: the number itself. increase: what a counter gained since the last recorded sample.
    rate: that gain per second or minute (the unit says which). share: the numerator's gain as a ratio of the
    denominator's gain. times_median: the number as a multiple of its median over past days.
    """

    VALUE = "value"
    INCREASE = "increase"
    RATE = "rate"
    SHARE = "share"
    TIMES_MEDIAN = "times_median"


class Empty(StrEnum):
    """What it means when the source answers with nothing to look at."""

    UNKNOWN = "unknown"
    OK = "ok"
    NOT_JUDGED = "not_judged"


class Limits(Record):
    """Beyond which value a check warns or is critical. A value equal to the limit is still within it."""

    unit: Annotated[Unit, Field(description=f"the unit of the limits, one of: {', '.join(Unit)}")]
    warning: Annotated[
        float | None, Field(description="a number in the limit's unit, e.g. 0.8", strict=True)
    ] = None
    critical: Annotated[
        float | None, Field(description="a number in the limit's unit, e.g. 0.9", strict=True)
    ] = None
    below: Annotated[
        bool, Field(description="true when small values are bad, false (the default) when large ones are")
    ] = False
    objective: Annotated[
        str,
        Field(description="the key below the environment's `slo` that replaces 'warning', e.g. availability"),
    ] = ""
    why: Annotated[str, Field(min_length=1, description="the reason for these limits, and their source")]

    @model_validator(mode="after")
    def _make_sense(self) -> Limits:
        if self.warning is None and self.critical is None:
            raise ValueError(
                "neither limit 'warning' nor 'critical' is given; such a check could never be bad"
            )
        for name in ("warning", "critical"):
            value = getattr(self, name)
            if self.unit is Unit.RATIO and value is not None and not 0 <= value <= 1:
                raise ValueError(f"limit {name!r} is {value!r}; expected a ratio between 0 and 1, e.g. 0.85")
        if self.warning is not None and self.critical is not None:
            ordered = self.critical <= self.warning if self.below else self.critical >= self.warning
            if not ordered:
                raise ValueError(
                    f"limit 'critical' is {self.critical!r} and 'warning' is {self.warning!r}; expected critical "
                    f"to be reached after warning, as small values are {'bad' if self.below else 'good'} here"
                )
        return self


class Baseline(Record):
    """Which earlier samples a reading is compared with."""

    days: Annotated[
        int, Field(ge=1, description="how many past days with a sample the median is taken over, e.g. 7")
    ]
    minimum_days: Annotated[
        int, Field(ge=1, description="how many of them must exist before the check is judged, e.g. 3")
    ]
    usual_at_least: Annotated[
        float | None,
        Field(gt=0, description="a smaller usual value counts as this, as no ratio to 0 exists, e.g. 10"),
    ] = None


class Guard(Record):
    """A query that says whether there is enough of what is measured; its answer is one number."""

    promql: Annotated[str, Field(min_length=1, description="a file below include/promql/")]
    at_least: Annotated[float, Field(description="the number below which the check is not judged, e.g. 50")]
    what: Annotated[
        str, Field(min_length=1, description="what the number counts, e.g. requests in 15 minutes")
    ]


class Check(Record):
    """One record of `include/checks/AREA.yaml`."""

    name: Annotated[
        str, Field(pattern=NAME, description="lower-case words joined by _, e.g. redis_memory_used")
    ]
    question: Annotated[str, Field(min_length=1, description="the question the check answers, for a person")]
    measure: Annotated[
        dict[str, str],
        Field(
            min_length=1,
            max_length=1,
            description="exactly one source and what to ask it, e.g. {sql: postgres/connections_used.sql}",
        ),
    ]
    reading: Annotated[Reading, Field(description=f"one of: {', '.join(Reading)}")] = Reading.VALUE
    limits: Annotated[
        Limits, Field(description="a mapping with unit, warning and/or critical, and why (the reason)")
    ]
    baseline: Annotated[Baseline | None, Field(description="a mapping with days and minimum_days")] = None
    minimum_volume: Annotated[
        float | None,
        Field(
            gt=0,
            description="below it a share (by the denominator's gain) or a comparison (by the usual value and the "
            "one now) is not judged, e.g. 100",
        ),
    ] = None
    guard: Annotated[Guard | None, Field(description="a mapping with promql, at_least and what")] = None
    needs_alerting_rules: Annotated[
        bool,
        Field(
            description="true when the query asks for alerts: that none fires says nothing unless rules are evaluated"
        ),
    ] = False
    empty: Annotated[Empty, Field(description=f"what no answer means, one of: {', '.join(Empty)}")] = (
        Empty.UNKNOWN
    )
    empty_reason: Annotated[str, Field(description="what is said when there is nothing to look at")] = ""
    tells_all: Annotated[
        bool, Field(description="true when the summary of what is ok names every subject with its number")
    ] = False
    remedy: Annotated[
        str, Field(min_length=1, description="what a person does about it, in a sentence or two")
    ]
    runbook: Annotated[
        str, Field(min_length=1, description="the runbook: a dag id, or a chapter of docs/runbooks.md")
    ]
    cannot_see: Annotated[str, Field(description="what this check cannot see")] = ""
    causes: Annotated[
        tuple[str, ...], Field(description="the checks (or area/*) that may turn bad for the same reason")
    ] = ()

    @model_validator(mode="after")
    def _reading_has_what_it_needs(self) -> Check:
        if self.reading is Reading.TIMES_MEDIAN and self.baseline is None:
            raise ValueError(
                "reading 'times_median' needs the key 'baseline', e.g. {days: 7, minimum_days: 3}"
            )
        if self.reading is Reading.RATE and self.limits.unit not in (Unit.PER_SECOND, Unit.PER_MINUTE):
            raise ValueError(
                f"reading 'rate' needs limits in per_second or per_minute, not {self.limits.unit!r}"
            )
        if self.guard is not None and self.source != "promql":
            raise ValueError(f"key 'guard' goes with a promql measure only, not with {self.source!r}")
        if self.needs_alerting_rules and self.source != "promql":
            raise ValueError(
                f"key 'needs_alerting_rules' goes with a promql measure only, not with {self.source!r}"
            )
        return self

    @property
    def source(self) -> str:
        """The kind of source that measures, e.g. `sql`."""
        return next(iter(self.measure))

    @property
    def asked(self) -> str:
        """What the source is asked, e.g. a query file below the source's folder."""
        return self.measure[self.source]

    def may_cause(self, name: str, area: str) -> bool:
        """Whether another check, of the area named, may turn bad for the same reason as this one."""
        return name == self.name or name in self.causes or f"{area}/*" in self.causes


@lru_cache(maxsize=64)
def parse_checks(text: str, *, where: str, sources: frozenset[str]) -> tuple[Check, ...]:
    """Parse one area's file: a mapping with the single key `checks`, a list of records.

    :raises DefinitionError: names file, check, key, value and what was expected.
    """
    data = load_yaml(text, where=where)
    entries = data.get("checks") if isinstance(data, dict) and set(data) == {"checks"} else None
    if not isinstance(entries, list) or not entries:
        raise DefinitionError(f"{where} has to be one key 'checks' with a list of check records below it")
    checks = tuple(
        _parse_check(entry, position, where=where) for position, entry in enumerate(entries, start=1)
    )
    for check in checks:
        if check.source not in sources:
            raise DefinitionError(
                f"Key 'measure' of check {check.name!r} in {where} names the source {check.source!r}; "
                f"expected one of: {', '.join(sorted(sources))}"
            )
    return checks


def _parse_check(entry: Any, position: int, *, where: str) -> Check:
    name = entry.get("name") if isinstance(entry, dict) else None
    what = f"check {name!r}" if name else f"check number {position}"
    return parse_record(Check, entry, what=what, where=where)
