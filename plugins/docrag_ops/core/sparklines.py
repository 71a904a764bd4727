"""A number over past runs as a small line."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH, HEIGHT, MARGIN = 120.0, 22.0, 2.0


def sparkline_points(values: Sequence[float]) -> str:
    """The points of an SVG polyline, left to right; empty for fewer than two numbers.

    The line's lowest and highest points are the least and the greatest value; a constant runs through the middle.

    >>> sparkline_points([1, 1])
    '2.0,11.0 118.0,11.0'
    >>> sparkline_points([0, 5, 10])
    '2.0,20.0 60.0,11.0 118.0,2.0'
    """
    numbers = [value for value in values if math.isfinite(value)]
    if len(numbers) < 2:
        return ""
    low, high = min(numbers), max(numbers)
    step = (WIDTH - 2 * MARGIN) / (len(numbers) - 1)
    return " ".join(
        f"{MARGIN + position * step:.1f},{_height(value, low, high):.1f}"
        for position, value in enumerate(numbers)
    )


def _height(value: float, low: float, high: float) -> float:
    if high == low:
        return HEIGHT / 2
    return HEIGHT - MARGIN - (value - low) / (high - low) * (HEIGHT - 2 * MARGIN)
