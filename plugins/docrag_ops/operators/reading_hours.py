"""Reading hours of service from Prometheus into the history: what is not kept yet, the newest day first.

A day costs a handful of range queries. The first run reads as many days as its time allows, the next ones the rest.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.service_level.burn import STEP_SECONDS, Counts
from docrag_ops.core.service_level.hours import Answers, Hour, Points, hours_of
from docrag_ops.core.service_level.objectives import SloSection
from docrag_ops.core.service_level.windows import Evidence
from docrag_ops.hooks.metrics import MetricsHook
from docrag_ops.hooks.service_hours import KeptHour, ServiceHours
from docrag_ops.operators.asking import Asking

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOUR_SECONDS, MINUTE_SECONDS = 3600, 60
READING_SECONDS = 180.0
UNSETTLED = timedelta(days=3)
"""A gap in an hour younger than this may still be filled: Prometheus may get its samples late."""
CHUNK = timedelta(days=30)
BURN_DAYS = 4


class HourReader:
    """Asks Prometheus about the environment's requests and its probe."""

    def __init__(self, asking: Asking, slo: SloSection) -> None:
        self._asking, self._slo, self._hook = asking, slo, MetricsHook()

    def evidence(self, store: ServiceHours) -> Evidence:
        """All hours of the longest window; what was not kept before is read and kept.

        :raises UnreachableError: when the history or Prometheus does not answer at all.
        """
        name, now = self._asking.run.environment, self._asking.now
        end = now.replace(minute=0, second=0, microsecond=0)
        start = end - timedelta(days=max(*self._slo.window_days, self._slo.budget_days))
        kept = {one.hour.at: one for one in store.since(name, start)}
        wanted = {at for at in self._probed(start, end) if not self._is_settled(kept.get(at), at)}
        hours = {at: one.hour for at, one in kept.items() if at < end}
        unread, began = "", time.monotonic()
        for first, last in _days(wanted):
            if time.monotonic() - began > READING_SECONDS:
                unread = f"older hours than {last + HOUR:%Y-%m-%d %H:%M} UTC are read by the next runs"
                break
            try:
                read = self._read(first, last + HOUR)
            except CouldNotMeasureError as error:
                unread = f"hours up to {last + HOUR:%Y-%m-%d %H:%M} UTC could not be read: {error}"
                break
            better = [hour for hour in read if hour.at in wanted and _knows_more(hour, hours.get(hour.at))]
            store.record(name, better, at=now)
            hours |= {hour.at: hour for hour in better}
        so_far, passed, trouble = self._so_far(end)
        if so_far:
            hours[end] = so_far
        return Evidence(
            hours=hours,
            end=end,
            first_at=store.first_at(name) or (end if so_far else None),
            unread="; ".join(filter(None, (unread, trouble))),
            minutes_since=passed,
        )

    def _so_far(self, start: datetime) -> tuple[Hour | None, int, str]:
        """The current hour up to now, the minutes that have passed of it, and why it could not be read.

        It is not kept. Shorter than a window of the probe, it says nothing yet and is left out.
        """
        end = self._asking.now.replace(second=0, microsecond=0)
        passed = int((end - start).total_seconds() // MINUTE_SECONDS)
        if passed < self._slo.probe_window_minutes:
            return None, 0, ""
        try:
            return next(iter(self._read(start, end)), None), passed, ""
        except CouldNotMeasureError as error:
            return None, passed, f"the current hour could not be read: {error}"

    def counts(self) -> Counts:
        """Valid and failed requests of each five minutes of the last days."""
        end = self._asking.now.timestamp() // STEP_SECONDS * STEP_SECONDS
        valid: dict[int, float] = {}
        failed: dict[int, float] = {}
        for day in range(BURN_DAYS, 0, -1):
            start = datetime.fromtimestamp(end, UTC) - day * DAY
            found = self._requests("5m", start + timedelta(seconds=STEP_SECONDS), start + DAY, STEP_SECONDS)
            valid |= found.get("valid", {})
            failed |= found.get("failed", {})
        return Counts(valid=valid, failed=failed)

    def _is_settled(self, kept: KeptHour | None, at: datetime) -> bool:
        """Whether asking again would say nothing new: it was read after its end, and has no gap or is old."""
        if kept is None:
            return False
        whole = kept.recorded_at >= at + HOUR + timedelta(minutes=self._slo.probe_window_minutes)
        return whole and (not kept.hour.dark or at < self._asking.now - UNSETTLED)

    def _probed(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The hours of which Prometheus has samples, oldest first, from the first one of the probe on."""
        is_begun = False
        while start < end:
            until = min(start + CHUNK, end)
            for series in self._ask("probed_hours", "1h", start + HOUR, until, HOUR_SECONDS).values():
                for seconds, samples in sorted(series.items()):
                    is_begun = is_begun or samples > 0
                    if is_begun:
                        yield datetime.fromtimestamp(seconds, UTC) - HOUR
            start = until

    def _read(self, start: datetime, end: datetime) -> list[Hour]:
        minutes, minute = self._slo.probe_window_minutes, timedelta(seconds=MINUTE_SECONDS)
        until = min(end + minutes * minute - minute, self._asking.now.replace(second=0, microsecond=0))
        window, span = f"{minutes}m", min(HOUR, end - start)
        hour = "1h" if span == HOUR else f"{span.total_seconds() / MINUTE_SECONDS:.0f}m"
        fine = self._requests(window, start + minute, until, MINUTE_SECONDS)
        hourly = self._requests(hour, start + span, end, HOUR_SECONDS)
        probe = self._ask("probe", window, start + minute, until, MINUTE_SECONDS)
        answers = Answers(
            probe=next(iter(probe.values()), {}),
            valid=fine.get("valid", {}),
            failed=fine.get("failed", {}),
            valid_hourly=hourly.get("valid", {}),
            failed_hourly=hourly.get("failed", {}),
            buckets_hourly=self._ask("buckets", hour, start + span, end, HOUR_SECONDS, label="le"),
        )
        return hours_of(
            answers,
            start=start,
            end=end,
            window_minutes=minutes,
            least_requests=self._slo.least_requests,
            until=int(until.timestamp()),
        )

    def _requests(self, window: str, start: datetime, end: datetime, step: int) -> Mapping[str, Points]:
        return self._ask("requests", window, start, end, step, label="part")

    def _ask(
        self, name: str, window: str, start: datetime, end: datetime, step: int, *, label: str = ""
    ) -> dict[str, Points]:
        """The series of a query below include/promql/slo/, by one of their labels."""
        traffic = self._asking.environment.traffic
        variables = {**(traffic.variables if traffic else {}), **self._slo.variables, "window": window}
        promql = self._asking.include.promql(f"slo/{name}.promql", variables)
        found = self._hook.query_range(promql, start=start, end=end, step_seconds=step)
        return {one.labels.get(label, ""): one.points for one in found}


def _days(wanted: Collection[datetime]) -> list[tuple[datetime, datetime]]:
    """First and last hour that is wanted of each UTC day, the newest day first."""
    days = [list(hours) for _, hours in groupby(sorted(wanted), key=lambda at: at.date())]
    return [(hours[0], hours[-1]) for hours in reversed(days)]


def _knows_more(hour: Hour, before: Hour | None) -> bool:
    """Whether an hour that was read again knows at least what is kept of it: Prometheus forgets."""
    return before is None or hour.known_minutes >= before.known_minutes
