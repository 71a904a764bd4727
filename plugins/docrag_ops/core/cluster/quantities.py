"""Kubernetes quantities and times.

Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

from datetime import datetime

_SUFFIXES = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
    "Pi": 2.0**50,
    "Ei": 2.0**60,
}


def parse_quantity(text: str | int | float) -> float:
    """A quantity as a number: CPU in cores, memory in bytes.

    >>> parse_quantity("356974n"), parse_quantity("10540Ki"), parse_quantity("1.5Gi"), parse_quantity("2e3")
    (0.000356974, 10792960.0, 1610612736.0, 2000.0)

    :raises ValueError: naming the text.
    """
    if isinstance(text, int | float):
        return float(text)
    number = text.rstrip("numkKMGTPEi")
    suffix = text[len(number) :]
    try:
        if suffix in _SUFFIXES:
            return float(f"{float(number) * _SUFFIXES[suffix]:.12g}")
        return float(text)
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no Kubernetes quantity; expected e.g. '250m', '1.5Gi' or '2e3'"
        ) from error


def parse_time(text: str | None) -> datetime | None:
    """An RFC 3339 time of the API; None where there is none."""
    return datetime.fromisoformat(text) if text else None


def minutes_between(start: datetime | None, end: datetime) -> float:
    """Minutes from start to end; 0 when start is not known or later (clocks differ)."""
    return max(0.0, (end - start).total_seconds() / 60) if start else 0.0
