"""Windows of days: what is not known is not good time. (Numbers: tests/databases/test_success_metrics.py.)"""

from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.service_level.hours import Hour
from docrag_ops.core.service_level.latency import quantile
from docrag_ops.core.service_level.measures import (
    availability,
    budget_left,
    coverage,
    p95_seconds,
    unplanned_downtime,
)
from docrag_ops.core.service_level.spells import PlannedWindow, said, spells
from docrag_ops.core.service_level.windows import Evidence, Window

END = datetime(2026, 6, 10, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BUCKETS = {"0.1": 900.0, "+Inf": 1000.0}


def hour(ago: int, **keys) -> Hour:
    plain = {"at": END - HOUR * ago, "valid": 1000.0, "failed": 0.0, "buckets": BUCKETS}
    return Hour(**{**plain, **keys})


def window(days: int, *, known_days: float = 100, unread: str = "", **changed) -> Window:
    """A window of good hours, but for those `ago_N`: a dict of what is other, None for an unknown hour."""
    hours = {ago: hour(ago) for ago in range(1, int(known_days * 24) + 1)}
    for name, keys in changed.items():
        ago = int(name.removeprefix("ago_"))
        hours.pop(ago, None)
        if keys is not None:
            hours[ago] = hour(ago, **keys)
    evidence = Evidence(
        hours={one.at: one for one in hours.values()},
        end=END,
        first_at=END - DAY * known_days if known_days else None,
        unread=unread,
    )
    return Window(days=days, evidence=evidence, least_coverage=0.95)


def test_all_good_is_all_of_it():
    measured = availability(window(1), target=0.999)
    assert (measured.value, measured.denominator) == (1, 24_000)


def test_window_as_old_as_the_evidence_is_judged():
    assert availability(window(7, known_days=7), target=0.999).value == 1


@pytest.mark.parametrize(
    ("days", "known_days", "reason"),
    [
        (90, 60, "needs 90 days, has 60"),
        (7, 6.5, "needs 7 days, has 6"),
        (1, 0.5, "needs 1 day, has 12 hours"),
    ],
)
def test_younger_evidence_is_not_judged(days: int, known_days: float, reason: str):
    for measured in (
        availability(window(days, known_days=known_days), target=0.999),
        budget_left(window(days, known_days=known_days), target=0.999),
        unplanned_downtime(window(days, known_days=known_days), target=0.999, planned=()),
        p95_seconds(window(days, known_days=known_days), least_requests=1),
        coverage(window(days, known_days=known_days)),
    ):
        assert (measured.value, measured.not_judged) == (None, reason)


def test_days_that_are_still_to_be_read_are_named():
    measured = availability(window(90, known_days=20, unread="older hours are read later"), target=0.999)
    assert measured.not_judged == "needs 90 days, has 20; older hours are read later"


def test_evidence_that_was_there_and_is_gone_is_unknown():
    gone = {f"ago_{ago}": None for ago in range(1, 4)}
    measured = availability(window(1, unread="Prometheus did not answer", **gone), target=0.999)
    assert measured.value is None
    assert measured.problem == (
        "data for 87.5 % of the window; none from 2026-06-09 21:00 to 2026-06-10 00:00 UTC; Prometheus did not answer"
    )


def test_without_any_evidence_nothing_is_known():
    assert "no data of the probe at all" in availability(window(1, known_days=0), target=0.999).problem


def test_a_gap_that_is_small_enough_is_named_and_not_counted():
    measured = availability(window(1, ago_3=None), target=0.999)
    assert measured.denominator == 23_000
    assert "none from 2026-06-09 21:00 to 22:00 UTC" in measured.evidence


def test_failures_in_the_dark_are_not_made_up():
    measured = unplanned_downtime(window(1, ago_3=None), target=0.999, planned=())
    assert (measured.value, measured.numerator) == (0, 0)


def test_one_failure_of_few_requests_is_not_judged():
    quiet = {f"ago_{ago}": {"valid": 41.0} for ago in range(1, 25)}
    assert availability(window(1, **quiet), target=0.999).not_judged.startswith("low volume: 984 requests")


def test_no_requests_at_all_are_no_full_marks():
    silent = {f"ago_{ago}": {"valid": 0.0, "buckets": {"0.1": 0.0, "+Inf": 0.0}} for ago in range(1, 25)}
    assert availability(window(1, **silent), target=0.999).not_judged.startswith("low volume: 0 requests")
    assert p95_seconds(window(1, **silent), least_requests=1).not_judged.startswith("low volume: 0 requests")


def test_budget_can_be_overdrawn():
    # 24,000 requests may have 24 failures; 36 are one and a half budgets.
    assert budget_left(window(1, ago_5={"failed": 36.0}), target=0.999).value == pytest.approx(-0.5)


def test_minute_that_is_planned_in_part_is_unplanned():
    down = {"ago_2": {"down": (0, 1)}}
    planned = PlannedWindow(
        start=END - 2 * HOUR, end=END - 2 * HOUR + timedelta(seconds=90), reason="x", owner="y"
    )
    assert unplanned_downtime(window(1, **down), target=0.999, planned=[planned]).numerator == 1


def test_spells_are_told_newest_first_and_the_rest_counted():
    minutes = [
        END + timedelta(minutes=number * 10 + extra) for number in range(5) for extra in range(number + 1)
    ]
    assert said(spells(minutes), most=2) == (
        "2026-06-10 00:40 to 00:45 UTC, 2026-06-10 00:30 to 00:34 UTC, 3 shorter ones"
    )


@pytest.mark.parametrize(
    ("buckets", "value"),
    [
        ({"0.1": 90.0, "0.5": 100.0, "+Inf": 100.0}, 0.3),
        ({"0.1": 90.0, "0.5": 91.0, "+Inf": 100.0}, 0.5),  # beyond the largest bound, that bound
        ({"0.1": 100.0, "0.5": 99.9, "+Inf": 100.0}, 0.095),  # a hair less, by extrapolation
        ({"0.1": 0.0, "+Inf": 0.0}, None),
        ({"0.1": 1.0}, None),
        ({}, None),
    ],
)
def test_quantile(buckets: dict[str, float], value: float | None):
    assert quantile(0.95, buckets) == (value if value is None else pytest.approx(value))


def test_current_hour_is_in_every_window():
    so_far = hour(0, valid=500.0, failed=5.0, minutes=30, dark=(0, 1, 2))
    evidence = Evidence(
        hours={one.at: one for one in (*map(hour, range(1, 25)), so_far)},
        end=END,
        first_at=END - DAY,
        minutes_since=30,
    )
    now = Window(days=1, evidence=evidence, least_coverage=0.95)
    assert availability(now, target=0.999).denominator == 24_500
    assert coverage(now).value == pytest.approx(1 - 3 / (1440 + 30))


def test_current_hour_without_data_is_dark():
    hours = {one.at: one for one in map(hour, range(1, 25))}
    evidence = Evidence(hours=hours, end=END, first_at=END - DAY, minutes_since=30)
    assert coverage(Window(days=1, evidence=evidence, least_coverage=0.95)).value == pytest.approx(
        1440 / 1470
    )
