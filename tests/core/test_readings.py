"""What of a measurement is compared with the limits."""

import math
from datetime import timedelta

import pytest

from docrag_ops.core.measurements import Measurement
from docrag_ops.core.readings import NoBaseline, Read, Unreadable, read
from tests.core.making import NOW, check, history, sample

INCREASE = check(reading="increase", warning=0)
RATE = check(reading="rate", unit="per_minute", warning=1)
SHARE = check(reading="share", unit="ratio", below=True, warning=0.8, minimum_volume=100)
USUAL = check(
    reading="times_median", unit="times", below=True, warning=0.8, baseline={"days": 7, "minimum_days": 3}
)


def reading(of, *samples, **measurement):
    return read(of, Measurement(subject="x", **measurement), history=history(*samples), now=NOW)


def value_of(of, *samples, **measurement) -> float:
    result = reading(of, *samples, **measurement)
    assert isinstance(result, Read), result
    return result.value


def reason_of(of, *samples, **measurement) -> str:
    result = reading(of, *samples, **measurement)
    assert isinstance(result, NoBaseline | Unreadable), result
    return result.reason


def test_value_is_the_number_itself():
    assert value_of(check(), value=3) == 3


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_cannot_be_read(value):
    assert isinstance(reading(check(), value=value), Unreadable)


def test_problem_of_a_subject_is_its_reason():
    assert reason_of(check(), value=0, problem="it does not exist") == "it does not exist"


def test_increase_is_the_gain_since_the_last_sample():
    assert value_of(INCREASE, sample(3, days=2), sample(5), value=9) == 4


def test_first_run_has_nothing_to_compare_with():
    assert reason_of(INCREASE, value=9) == "first run"


def test_subject_that_is_new_has_gained_all_it_has():
    assert value_of(INCREASE, sample(5, subject="other"), value=9) == 9


def test_counter_that_fell_began_again():
    assert value_of(INCREASE, sample(50), value=9) == 9


def test_counter_of_another_life_began_again_though_it_did_not_fall():
    assert value_of(INCREASE, sample(5, epoch="old"), value=9, epoch="new") == 9


@pytest.mark.parametrize("before", [None, math.nan, math.inf])
def test_last_sample_that_is_no_number_is_no_baseline(before):
    for of in (INCREASE, RATE):
        assert isinstance(reading(of, sample(before), value=9), NoBaseline)


def test_rate_is_the_gain_per_time_of_its_unit():
    assert value_of(RATE, sample(0), value=1440) == 1
    assert value_of(check(reading="rate", unit="per_second", warning=1), sample(0), value=86400) == 1


def test_rate_after_a_restart_counts_what_the_counter_has():
    assert value_of(RATE, sample(10_000), value=1440) == 1


def test_rate_of_a_new_subject_has_no_time_to_divide_by():
    assert reason_of(RATE, sample(0, subject="other"), value=5) == "first run for this subject"


@pytest.mark.parametrize("days", [0, -1])
def test_sample_from_the_future_says_to_check_the_clocks(days: float):
    result = reading(RATE, sample(0, days=days), value=5)
    assert isinstance(result, Unreadable)
    assert "check the clocks" in result.reason


def test_share_is_of_what_happened_since_the_last_sample():
    last = sample(numerator=900, denominator=1000)
    assert value_of(SHARE, last, numerator=950, denominator=1100) == 0.5


def test_share_of_too_little_is_not_judged():
    last = sample(numerator=900, denominator=1000)
    reason = reason_of(SHARE, last, numerator=910, denominator=1099)
    assert reason == "low volume: 99 since 2026-06-30 09:00 UTC, needs 100"


def test_share_of_nothing_is_not_divided():
    plain = check(reading="share", unit="ratio", warning=0.5)
    assert isinstance(
        reading(plain, sample(numerator=1, denominator=2), numerator=1, denominator=2), NoBaseline
    )


@pytest.mark.parametrize(("hits", "misses"), [(950, 60), (50, 950), (50, 60), (5000, 100)])
def test_share_after_a_reset_is_of_what_happened_since(hits: int, misses: int):
    last = sample(numerator=100, denominator=1000)
    expected = hits / (hits + misses)
    assert value_of(SHARE, last, numerator=hits, denominator=hits + misses) == pytest.approx(expected)


def test_usual_is_the_median_of_the_days():
    days = (sample(100, days=3), sample(100, days=2), sample(900, days=1))
    assert value_of(USUAL, *days, value=50) == 0.5


def test_last_sample_of_a_day_stands_for_it():
    days = (sample(1, days=1.2), sample(100, days=1), sample(100, days=2), sample(100, days=3))
    assert value_of(USUAL, *days, value=100) == 1


def test_today_and_what_is_too_old_are_no_past():
    days = (sample(1, days=0.1), sample(100, days=1), sample(100, days=2), sample(1, days=8))
    assert reason_of(USUAL, *days, value=50) == "needs 3 days, has 2"


def test_days_without_a_number_do_not_count():
    days = (sample(math.nan, days=1), sample(None, days=2), sample(100, days=3), sample(100, days=4))
    assert reason_of(USUAL, *days, value=50) == "needs 3 days, has 2"


def test_nothing_where_nothing_is_usual_is_as_usual():
    days = [sample(0, days=days) for days in (1, 2, 3)]
    assert value_of(USUAL, *days, value=0) == 1
    assert reason_of(USUAL, *days, value=5) == "the usual value is 0: no ratio exists"


def test_small_numbers_are_not_compared():
    of = check(
        **{**USUAL.model_dump(exclude={"limits"}), "unit": "times", "warning": 2, "minimum_volume": 1000}
    )
    days = [sample(30, days=days) for days in (1, 2, 3)]
    assert reason_of(of, *days, value=0) == "low volume: usually fewer than 1,000"
    assert value_of(of, *days, value=3000) == 100


def test_note_says_since_when():
    result = reading(RATE, sample(0), value=1440)
    assert result == Read(1.0, f"1,440 since {NOW - timedelta(days=1):%Y-%m-%d %H:%M} UTC")


def test_what_usually_does_not_happen_is_compared_with_the_least_that_counts():
    of = check(
        reading="times_median",
        unit="times",
        warning=3,
        baseline={"days": 7, "minimum_days": 3, "usual_at_least": 10},
    )
    days = [sample(0, days=1), sample(0, days=2), sample(2, days=3)]
    assert value_of(of, *days, value=500) == 50
