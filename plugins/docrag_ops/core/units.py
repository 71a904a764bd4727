"""Units of measurements and limits, and how a person reads a value in them."""

from __future__ import annotations

import math
from collections.abc import Callable
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
    CORES = "cores"


def format_value(value: float | None, unit: Unit | str) -> str:
    """Write a number with its unit for a person.

    >>> format_value(0.873, Unit.RATIO), format_value(67108864, Unit.BYTES), format_value(5400, Unit.SECONDS)
    ('87.3 %', '64.0 MiB', '90 min')
    """
    if value is None:
        return "no value"
    if not math.isfinite(value):
        return str(value)
    if value == 0:
        return "0 %" if unit == Unit.RATIO else "0"
    return _FORMATS[Unit(unit)](value)


def format_amount(value: float, name: str) -> str:
    """Write a number whose name says its unit.

    >>> format_amount(1654780, "used_bytes pod-1"), format_amount(0.65, "share"), format_amount(1234567, "rows")
    ('1.6 MiB', '65 %', '1,234,567')
    """
    if "bytes" in name:
        return format_value(value, Unit.BYTES)
    if "share" in name or "ratio" in name:
        return format_value(value, Unit.RATIO)
    if "seconds" in name:
        return format_value(value, Unit.SECONDS)
    return format_value(value, Unit.COUNT)


def _format_count(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.3g}"


def _format_percent(percent: float) -> str:
    if abs(percent) < 0.01:
        return "< 0.01 %" if percent > 0 else "> -0.01 %"
    if (
        99 < percent < 100
    ):  # how far it is from all of it is what counts: 99.91 % and 99.89 % are not the same
        decimals = min(9, 1 - math.floor(math.log10(100 - percent)))
        return f"{percent:.{decimals}f}".rstrip("0") + " %"
    return f"{percent:.3g} %" if abs(percent) < 100 else f"{percent:.0f} %"


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


_FORMATS: dict[Unit, Callable[[float], str]] = {
    Unit.COUNT: _format_count,
    Unit.RATIO: lambda value: _format_percent(value * 100),
    Unit.TIMES: lambda value: f"{value:.3g} times",
    Unit.SECONDS: _format_seconds,
    Unit.MINUTES: lambda value: _format_seconds(value * 60),
    Unit.DAYS: lambda value: f"{value:.3g} d",
    Unit.BYTES: _format_bytes,
    Unit.PER_SECOND: lambda value: f"{value:.3g} /s",
    Unit.PER_MINUTE: lambda value: f"{value:.3g} /min",
    Unit.CORES: lambda value: f"{value:.3g} cores",
}
