"""Reading hours into the history: the newest day first, no longer than allowed, and whatever goes wrong is said."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from docrag_ops.core.errors import CouldNotMeasureError
from docrag_ops.core.service_level.hours import Hour
from docrag_ops.hooks.history import RunKey
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.hooks.metrics import MetricsHook, RangeSeries
from docrag_ops.hooks.service_hours import KeptHour
from docrag_ops.operators import reading_hours
from docrag_ops.operators.asking import Asking
from docrag_ops.operators.reading_hours import HourReader

NOW = datetime(2026, 6, 10, 23, 0, 4, tzinfo=UTC)
END = NOW.replace(second=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class Store:
    """A history that remembers what it was given, in the order it was given."""

    def __init__(self, *kept: KeptHour) -> None:
        self.hours = {one.hour.at: one for one in kept}
        self.written: list[datetime] = []

    def since(self, environment: str, start: datetime) -> list[KeptHour]:
        return [one for at, one in sorted(self.hours.items()) if at >= start]

    def first_at(self, environment: str) -> datetime | None:
        return min(self.hours, default=None)

    def record(self, environment: str, hours: Sequence[Hour], *, at: datetime) -> None:
        self.hours |= {hour.at: KeptHour(hour, at) for hour in hours}
        self.written += [hour.at for hour in hours]


class Prometheus:
    """Answers every query with ones since `begin`; `asked` are the days that minutes were asked of."""

    def __init__(self, begin: datetime, *, broken_before: datetime | None = None) -> None:
        self.begin, self.broken_before, self.asked = begin, broken_before, []

    def query_range(
        self, promql: str, *, start: datetime, end: datetime, step_seconds: int
    ) -> list[RangeSeries]:
        if step_seconds == 60 and "up{" in promql:
            self.asked.append(start.date())
        if step_seconds == 60 and self.broken_before and start < self.broken_before:
            raise CouldNotMeasureError("query processing would load too many samples into memory")
        first, last = int(start.timestamp()), int(end.timestamp())
        times = [time for time in range(first, last + 1, step_seconds) if time > self.begin.timestamp()]
        parts = ("valid", "failed") if '"part"' in promql else ("",)
        return [RangeSeries({"part": part}, dict.fromkeys(times, 1.0)) for part in parts if times]


def read(monkeypatch: pytest.MonkeyPatch, prometheus: Prometheus, store: Store) -> Any:
    include = IncludeFolder()
    environment = include.environment("docrag-prod")
    run = RunKey(environment="docrag-prod", entry="x", run_id="y")
    asking = Asking(environment=environment, include=include, run=run, now=NOW, task_instance=None)
    monkeypatch.setattr(MetricsHook, "query_range", lambda _, *a, **keys: prometheus.query_range(*a, **keys))
    return HourReader(asking, environment.slo).evidence(store)


def kept(at: datetime, *, recorded_at: datetime, dark: tuple[int, ...] = ()) -> KeptHour:
    hour = Hour(at=at, valid=7.0, failed=0.0, buckets={}, dark=dark)
    return KeptHour(hour, recorded_at)


def test_first_run_reads_all_there_is_the_newest_day_first(monkeypatch):
    store, prometheus = Store(), Prometheus(END - 3 * DAY)
    evidence = read(monkeypatch, prometheus, store)
    assert len(evidence.hours) == len(store.hours) == 72
    assert evidence.first_at == END - 3 * DAY
    assert prometheus.asked == [END.date() - number * DAY for number in range(4)]


def test_second_run_asks_for_new_hours_only(monkeypatch):
    old = [kept(END - HOUR * ago, recorded_at=NOW - HOUR) for ago in range(3, 72)]
    store, prometheus = Store(*old), Prometheus(END - 3 * DAY)
    read(monkeypatch, prometheus, store)
    assert sorted(store.written) == [END - 3 * DAY, END - 2 * HOUR, END - HOUR]


def test_hour_that_was_read_right_at_its_end_is_read_again(monkeypatch):
    at = END - 2 * HOUR
    store = Store(kept(at, recorded_at=at + HOUR))
    read(monkeypatch, Prometheus(at), store)
    assert at in store.written


@pytest.mark.parametrize(("age", "again"), [(DAY, True), (4 * DAY, False)])
def test_gap_may_be_filled_for_some_days(monkeypatch, age: timedelta, again: bool):
    at = END - age
    store = Store(kept(at, recorded_at=at + 2 * HOUR, dark=(1, 2)))
    read(monkeypatch, Prometheus(at), store)
    assert (at in store.written) is again


def test_prometheus_that_forgets_takes_nothing_away(monkeypatch):
    """Of the hour only its last two minutes are left there; all but two minutes are kept."""
    at = END - DAY
    store = Store(kept(at, recorded_at=at + 2 * HOUR, dark=(1, 2)))
    read(monkeypatch, Prometheus(at + timedelta(minutes=58)), store)
    assert store.hours[at].hour.valid == 7.0


def test_run_reads_no_longer_than_it_may_and_says_so(monkeypatch):
    times = iter(range(0, 10_000, 100))
    monkeypatch.setattr(reading_hours, "time", SimpleNamespace(monotonic=lambda: next(times)))
    store, prometheus = Store(), Prometheus(END - 30 * DAY)
    evidence = read(monkeypatch, prometheus, store)
    assert len(prometheus.asked) == 1
    assert evidence.unread == "older hours than 2026-06-10 00:00 UTC are read by the next runs"
    read(monkeypatch, prometheus, store)
    assert len(prometheus.asked) == 2


def test_day_that_cannot_be_read_is_named_and_what_was_read_is_kept(monkeypatch):
    store = Store()
    evidence = read(monkeypatch, Prometheus(END - 5 * DAY, broken_before=END - 2 * DAY), store)
    assert min(store.hours) == (END - DAY).replace(hour=0)
    assert evidence.unread.startswith("hours up to 2026-06-09 00:00 UTC could not be read: query processing")


def test_prometheus_of_half_an_hour_is_young_and_not_dead(monkeypatch):
    monkeypatch.setitem(globals(), "NOW", END + timedelta(minutes=40))
    evidence = read(monkeypatch, Prometheus(END + timedelta(minutes=10)), Store())
    assert (evidence.first_at, evidence.minutes_since) == (END, 40)
    assert evidence.hours[END].known_minutes == 30
