"""Kubernetes quantities and times."""

from datetime import UTC, datetime, timedelta

import pytest

from docrag_ops.core.cluster.quantities import minutes_between, parse_quantity, parse_time

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("356974n", 0.000356974),
        ("120u", 0.00012),
        ("250m", 0.25),
        ("1", 1),
        ("0", 0),
        ("0.5", 0.5),
        ("10540Ki", 10540 * 1024),
        ("1.5Gi", 1.5 * 2**30),
        ("128974848000m", 128974848),
        ("1k", 1000),
        ("2M", 2e6),
        ("1E", 1e18),
        ("1Ei", 2.0**60),
        ("2e3", 2000),
        ("1E3", 1000),
        ("1e-3", 0.001),
        (4, 4),
        (0.5, 0.5),
    ],
)
def test_quantity_is_a_number(text: str | float, number: float):
    assert parse_quantity(text) == pytest.approx(number)


@pytest.mark.parametrize("text", ["", "Mi", "1mi", "much", "1KiB", "--1"])
def test_what_is_no_quantity_is_quoted(text: str):
    with pytest.raises(ValueError, match=r"is no Kubernetes quantity; expected e\.g\. '250m'"):
        parse_quantity(text)


@pytest.mark.parametrize(
    "text", ["2026-07-01T08:00:00Z", "2026-07-01T08:00:00.000000Z", "2026-07-01T10:00:00.000000000+02:00"]
)
def test_time_of_the_api_is_in_utc(text: str):
    assert parse_time(text) == datetime(2026, 7, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("text", [None, ""])
def test_no_time_is_none(text: str | None):
    assert parse_time(text) is None


def test_minutes_begin_at_zero():
    assert minutes_between(NOW - timedelta(minutes=5), NOW) == 5
    assert minutes_between(NOW + timedelta(minutes=5), NOW) == 0
    assert minutes_between(None, NOW) == 0
