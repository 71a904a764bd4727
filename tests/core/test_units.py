"""Numbers as a person reads them."""

import math

import pytest

from docrag_ops.core.units import Unit, format_value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, Unit.COUNT, "no value"),
        (0, Unit.RATIO, "0 %"),
        (0, Unit.BYTES, "0"),
        (1234567, Unit.COUNT, "1,234,567"),
        (0.5, Unit.COUNT, "0.5"),
        (1, Unit.RATIO, "100 %"),
        (0.99927, Unit.RATIO, "99.927 %"),
        (0.995, Unit.RATIO, "99.5 %"),
        (0.999999, Unit.RATIO, "99.9999 %"),
        (0.0305, Unit.CORES, "0.0305 cores"),
        (0.123456, Unit.RATIO, "12.3 %"),
        (0.00001, Unit.RATIO, "< 0.01 %"),
        (-0.04, Unit.RATIO, "-4 %"),
        (0.0123, Unit.SECONDS, "12.3 ms"),
        (90, Unit.SECONDS, "90 s"),
        (86400 * 3, Unit.SECONDS, "3.0 d"),
        (10, Unit.MINUTES, "10 min"),
        (0.5, Unit.MINUTES, "30 s"),
        (60, Unit.DAYS, "60 d"),
        (1023, Unit.BYTES, "1023 B"),
        (1536, Unit.BYTES, "1.5 KiB"),
        (2**62, Unit.BYTES, "4096.0 PiB"),
        (1.5, Unit.TIMES, "1.5 times"),
        (2, Unit.PER_SECOND, "2 /s"),
        (2, Unit.PER_MINUTE, "2 /min"),
        (math.nan, Unit.RATIO, "nan"),
        (math.inf, Unit.COUNT, "inf"),
    ],
)
def test_value_is_written_with_its_unit(value: float | None, unit: Unit, text: str):
    assert format_value(value, unit) == text


@pytest.mark.parametrize("unit", Unit)
def test_every_unit_can_be_written(unit: Unit):
    assert format_value(0.42, unit)
