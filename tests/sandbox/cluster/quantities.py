"""Kubernetes quantities and times."""

from __future__ import annotations

from datetime import UTC, datetime

SUFFIXES = {
    "n": 1e-9,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
    "Ki": 2.0**10,
    "Mi": 2.0**20,
    "Gi": 2.0**30,
    "Ti": 2.0**40,
}


def quantity(text: str | int | float) -> float:
    """
    >>> quantity("250m"), quantity("64Mi"), quantity(2)
    (0.25, 67108864.0, 2.0)
    """
    text = str(text)
    number = text.rstrip("numkKMGTi")
    return float(number) * SUFFIXES[text[len(number) :]]


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_rfc3339(text: str) -> datetime:
    return datetime.fromisoformat(text)
