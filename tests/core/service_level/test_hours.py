"""Which minutes were down, and of which nobody knows: from what is true of whole windows."""

from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.service_level.hours import Answers, Hour, hours_of

START = datetime(2026, 6, 1, 12, tzinfo=UTC)
FIRST = int(START.timestamp())
WINDOW = 5
NOTHING: dict[int, float] = {}


def at(minute: int) -> int:
    return FIRST + minute * 60


def every_minute(
    value: float, hours: int = 1, *, but: dict[int, float | None] | None = None
) -> dict[int, float]:
    """A value at each minute that is asked about; `but`: minute -> another value, None for none."""
    points = {at(minute): value for minute in range(1, hours * 60 + WINDOW)}
    for minute, other in (but or {}).items():
        points.pop(at(minute), None)
        if other is not None:
            points[at(minute)] = other
    return points


def hours(hours: int = 1, *, until: int | None = None, least: float = 10, **answers) -> list[Hour]:
    plain = {
        "probe": every_minute(1, hours),
        "valid": every_minute(300, hours),
        "failed": every_minute(0, hours),
    }
    plain |= {"valid_hourly": {at(60): 3600}, "failed_hourly": {at(60): 3}, "buckets_hourly": {}}
    return hours_of(
        Answers(**{**plain, **answers}),
        start=START,
        end=START + timedelta(hours=hours),
        window_minutes=WINDOW,
        least_requests=least,
        until=at(hours * 60 + WINDOW - 1) if until is None else until,
    )


def minutes(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last))


def test_a_good_hour():
    assert hours() == [Hour(at=START, valid=3600, failed=3, buckets={})]


def test_probe_that_fails_in_a_whole_window_is_downtime_of_all_its_minutes():
    # The windows that end from 12:15 to 12:30 hold failures only: down from 12:10 to 12:30.
    failing = every_minute(1, but=dict.fromkeys(range(15, 31), 0))
    assert hours(probe=failing)[0].down == minutes(10, 30)


def test_downtime_at_the_end_of_the_hour_is_seen_by_windows_that_end_in_the_next():
    # Down from 12:58 to 13:03, only the window that ends at 13:03 holds nothing else.
    assert hours(probe=every_minute(1, but={63: 0}))[0].down == (58, 59)


def test_all_requests_failing_is_downtime():
    assert hours(failed=every_minute(0, but={20: 300}))[0].down == minutes(15, 20)


def test_nearly_all_requests_failing_is_none():
    assert hours(failed=every_minute(0, but={20: 299}))[0].down == ()


@pytest.mark.parametrize(("least", "down"), [(1, minutes(15, 20)), (2, ())])
def test_few_requests_that_all_fail_are_no_downtime(least: float, down: tuple[int, ...]):
    one = {20: 1.0}
    found = hours(valid=every_minute(0, but=one), failed=every_minute(0, but=one), least=least)
    assert found[0].down == down


def test_no_requests_at_night_are_no_downtime():
    assert hours(valid=every_minute(0), failed=every_minute(0), valid_hourly={at(60): 0})[0].down == ()


def test_minutes_without_any_sample_of_the_probe_are_dark():
    assert hours(probe=every_minute(1, but=dict.fromkeys(range(25, 41))))[0].dark == minutes(20, 40)


def test_requests_that_are_missing_while_the_probe_is_answered_are_no_darkness():
    [hour] = hours(valid=NOTHING, failed=NOTHING, valid_hourly=NOTHING, failed_hourly=NOTHING)
    assert (hour.valid, hour.dark, hour.down) == (None, (), ())


def test_hour_of_which_nothing_is_known_is_left_out():
    dark = dict.fromkeys(range(1, 66))
    assert [hour.at.hour for hour in hours(2, probe=every_minute(1, 2, but=dark))] == [13]


def test_what_was_not_asked_yet_is_not_called_dark():
    """Asked at 13:00 sharp: no window tells of the last minutes alone, and none is empty."""
    assert hours(until=at(60))[0].dark == ()


def test_buckets_are_those_of_the_hour():
    buckets = {"0.1": {at(60): 5.0, at(120): 7.0}, "+Inf": {at(120): 9.0}}
    found = hours(2, buckets_hourly=buckets)
    assert [hour.buckets for hour in found] == [{"0.1": 5.0}, {"0.1": 7.0, "+Inf": 9.0}]
