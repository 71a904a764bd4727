"""Units of measurements and limits, and how a person reads a value in them."""

from __future__ import annotations

import math
from enum import StrEnum

_BYTE_STEPS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


class Unit(StrEnum):
    """What a number counts. `ratio` is 0-1 of a whole, `times` compares two like numbers (1 = the same)."""

    COUNT = "count"
    RATIO = "ratio"
    TIMES = "times"
    SECONDS = "seconds"
    MINUTES = "minutes"
    DAYS = "days"
    BYTES = "bytes"
    PER_SECOND = "per_second"
    PER_MINUTE = "per_minute"


def format_value(value: float | None, unit: Unit | str) -> str:
    """Write a number with its unit for a person.

    >>> format_value(0.873, Unit.RATIO), format_value(67108864, Unit.BYTES), format_value(5400, Unit.SECONDS)
    ('87.3 %', '64.0 MiB', '90 min')
    """
    if value is None:
        return "no value"
    if not math.isfinite(value):
        return str(value)
    match Unit(unit):
        case Unit.RATIO:
            return f"{value * 100:.3g} %" if abs(value) < 1 else f"{value * 100:.0f} %"
        case Unit.TIMES:
            return f"{value:.3g} times"
        case Unit.SECONDS:
            return _format_seconds(value)
        case Unit.MINUTES:
            return _format_seconds(value * 60)
        case Unit.DAYS:
            return f"{value:.3g} d"
        case Unit.BYTES:
            return _format_bytes(value)
        case Unit.PER_SECOND:
            return f"{value:.3g} /s"
        case Unit.PER_MINUTE:
            return f"{value:.3g} /min"
        case _:
            return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"


def _format_seconds(seconds: float) -> str:
    if abs(seconds) < 1:
        return f"{seconds * 1000:.3g} ms"
    if abs(seconds) < 120:
        return f"{seconds:.3g} s"
    if abs(seconds) < 7200:
        return f"{seconds / 60:.0f} min"
    if abs(seconds) < 172800:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} d"


def _format_bytes(size: float) -> str:
    step = 0
    while abs(size) >= 1024 and step < len(_BYTE_STEPS) - 1:
        size /= 1024
        step += 1
    return f"{size:.0f} B" if step == 0 else f"{size:.1f} {_BYTE_STEPS[step]}"
