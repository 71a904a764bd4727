"""How large the next batch is, and how long the pause before it."""

from __future__ import annotations

SMALLEST = 50


def next_size(size: int, *, took_seconds: float, at_most_seconds: float, most: int) -> int:
    """Half of it after a batch that took too long, a quarter more after one that was quick.

    >>> next_size(4000, took_seconds=1.0, at_most_seconds=0.25, most=5000)
    2000
    >>> next_size(4500, took_seconds=0.01, at_most_seconds=0.25, most=5000)
    5000
    """
    if took_seconds > at_most_seconds:
        return max(min(SMALLEST, most), size // 2)
    if took_seconds < at_most_seconds / 2:
        return min(most, size + max(1, size // 4))
    return size
