"""`measure: {capacity: kept}`: the day's figures of every capacity series are taken and kept, missing days too.

A day that was kept before it ended is taken again; of the days before, those that are missing, the newest first.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from docrag_ops.core.capacity import CapacitySeries, DayFigures, figures, parse_series
from docrag_ops.core.checks import Check
from docrag_ops.core.errors import CouldNotMeasureError, DefinitionError, UnreachableError
from docrag_ops.core.measurements import Measured, Measurement
from docrag_ops.hooks.capacity_days import CapacityDays
from docrag_ops.hooks.metrics import MetricsHook
from docrag_ops.operators.asking import Answers, Asking, answer_each

SERIES = "capacity/series.yaml"
STEP_SECONDS = 300
POINTS_A_DAY = 86_400 // STEP_SECONDS
DAY = timedelta(days=1)
BACKFILL_DAYS = 90
READING_SECONDS = 150.0
LONGEST_SECONDS = 400.0
"""Older days are read for so long; then today and yesterday only, and at last nothing any more."""
RECENT_DAYS, WHOLE = 3, 0.9
"""A day so young is taken again while it has less of its numbers: samples may come late."""
EMPTY_DAYS = 7
"""After so many days in a row without data, older ones are not asked about: Prometheus' past ends here."""


def answer(checks: Sequence[Check], asking: Asking) -> Answers:
    """Take and keep all series, then say how much of the last whole day each has."""
    return answer_each(checks, lambda check: Measured(tuple({"kept": _keep_all}[check.asked](asking))))


def all_series(asking: Asking) -> tuple[CapacitySeries, ...]:
    """The series that are kept."""
    return parse_series(asking.include.text(SERIES), where=f"include/{SERIES}")


def _keep_all(asking: Asking) -> list[Measurement]:
    keeper = _Keeper(asking)
    return [keeper.keep(series) for series in all_series(asking)]


class _Keeper:
    def __init__(self, asking: Asking) -> None:
        self._asking, self._store, self._metrics = asking, CapacityDays(), MetricsHook()
        self._today, self._began = asking.now.date(), time.monotonic()
        environment = asking.run.environment
        self._whole = self._store.whole_days(environment, self._today - BACKFILL_DAYS * DAY)
        self._earlier = self._store.last_days(environment, before=self._today - DAY)
        self._unreachable = ""

    def keep(self, series: CapacitySeries) -> Measurement:
        """Keep one series; what of the last whole day it has, as a share."""
        most = 1 if series.check else POINTS_A_DAY
        whole = self._whole.get(series.name, {})
        known = {day: min(1.0, count / most) for day, count in whole.items()}
        if series.promql and self._asking.environment.traffic is None:
            reason = "not configured: the environment has no section 'traffic', so no Prometheus to ask"
            return Measurement(subject=series.name, not_judged=reason)
        if series.promql and self._unreachable:
            return Measurement(subject=series.name, problem=self._unreachable)
        try:
            taken = self._keep_days(series, known)
        except CouldNotMeasureError as error:
            if isinstance(error, UnreachableError):
                self._unreachable = str(error)
            return Measurement(subject=series.name, problem=str(error))
        return self._judged(series, {day: min(1.0, count / most) for day, count in taken.items()}, known)

    def _keep_days(self, series: CapacitySeries, known: Mapping[date, float]) -> dict[date, int]:
        """Per day that was taken now, how many numbers its fullest subject had."""
        taken = dict(self._missing_days(series, known))
        everything = [one for found in taken.values() for one in found]
        if taken:
            environment, at = self._asking.run.environment, self._asking.now
            self._store.record(environment, series.name, sorted(taken), everything, at=at)
        return {day: max(one.count for one in found) for day, found in taken.items()}

    def _missing_days(
        self, series: CapacitySeries, known: Mapping[date, float]
    ) -> Iterator[tuple[date, list[DayFigures]]]:
        """Days that are not kept yet and have data, the newest first, as far as the time allows."""
        empty = 0
        for back in range(BACKFILL_DAYS + 1):
            day = self._today - back * DAY
            if known.get(day, 0) >= (WHOLE if back <= RECENT_DAYS else 0) and day in known:
                continue
            seconds = time.monotonic() - self._began
            if seconds > LONGEST_SECONDS:
                raise CouldNotMeasureError(f"not read: after {seconds:.0f} s the time of this task is up")
            if (back > 1 and seconds > READING_SECONDS) or empty >= EMPTY_DAYS:
                return
            found = self._take(series, day)
            empty = 0 if found else empty + 1
            if found:
                yield day, found

    def _take(self, series: CapacitySeries, day: date) -> list[DayFigures]:
        numbers = self._measured(series, day) if series.check else self._ranged(series, day)
        found = (figures(series, subject, day, values) for subject, values in numbers.items())
        return [one for one in found if one]

    def _measured(self, series: CapacitySeries, day: date) -> Mapping[str, list[float]]:
        return self._store.measured(self._asking.run.environment, series.check, day)

    def _ranged(self, series: CapacitySeries, day: date) -> Mapping[str, list[float]]:
        traffic = self._asking.environment.traffic
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        end = min(start + DAY, self._asking.now)
        if (end - start).total_seconds() < STEP_SECONDS:
            return {}
        found = self._metrics.query_range(
            self._asking.include.promql(series.promql, traffic.variables if traffic else {}),
            start=start + timedelta(seconds=STEP_SECONDS),
            end=end,
            step_seconds=STEP_SECONDS,
        )
        numbers: dict[str, list[float]] = {}
        for one in found:
            numbers.setdefault(one.labels.get("subject", "all"), []).extend(one.points.values())
        if len(found) != len(numbers):
            raise DefinitionError(
                f"include/promql/{series.promql} answers {len(found)} series with {len(numbers)} subjects; expected a "
                "label 'subject' that tells them apart"
            )
        return numbers

    def _judged(
        self, series: CapacitySeries, taken: Mapping[date, float], known: Mapping[date, float]
    ) -> Measurement:
        """How much of the last whole day is kept; none of a series that there never was is not judged."""
        yesterday, earlier = self._today - DAY, self._earlier.get(series.name)
        if yesterday in known or yesterday in taken:
            share = taken.get(yesterday, known.get(yesterday))
            kept = f"{len(taken):,} days taken now, {len(known):,} were kept before"
            return Measurement(subject=series.name, value=share, evidence=kept)
        if earlier:
            problem = f"kept until {earlier}, and nothing of {yesterday}: it is not there any more"
            return Measurement(subject=series.name, problem=problem)
        if self._today in taken:
            return Measurement(subject=series.name, not_judged="needs 1 whole day, has less")
        where = f"no run has measured {series.check}" if series.check else "Prometheus has no such series"
        return Measurement(subject=series.name, not_judged=f"not configured: {where}")
