"""What Qdrant's HTTP API says about collections.

Source: https://api.qdrant.tech/api-reference/collections/get-collection
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from docrag_ops.core.measurements import Measurement

_STATUS_VALUE = {"green": 0, "grey": 1, "yellow": 1, "red": 2}


def collection_status(name: str, info: Mapping[str, Any]) -> Measurement:
    """0 green; 1 yellow (optimising) or grey (optimisation pending after a restart); 2 red."""
    status = info.get("status")
    if status not in _STATUS_VALUE:
        return Measurement(
            subject=name, problem=f"the status is {status!r}; expected green, yellow, grey or red"
        )
    return Measurement(subject=name, value=_STATUS_VALUE[status], evidence=f"status {status}")


def optimizer_failures(name: str, info: Mapping[str, Any]) -> Measurement:
    """0 when the optimizer is ok, 1 with its error otherwise."""
    status = info.get("optimizer_status")
    if status is None:
        return Measurement(subject=name, problem="the answer has no optimizer_status")
    return Measurement(
        subject=name, value=int(status != "ok"), evidence="" if status == "ok" else f"{status}"
    )


def points(name: str, info: Mapping[str, Any]) -> Measurement:
    """Points in the collection."""
    count = info.get("points_count")
    if not isinstance(count, int):
        return Measurement(subject=name, problem=f"points_count is {count!r}; expected a number")
    return Measurement(
        subject=name, value=count, evidence=f"{info.get('indexed_vectors_count')} indexed vectors"
    )


def missing_collections(expected: Sequence[str], there: Sequence[str]) -> list[Measurement]:
    """0 for each expected collection that is there; a missing one is a problem."""
    return [
        Measurement(subject=name, value=0)
        if name in there
        else Measurement(
            subject=name, problem=f"Qdrant has no such collection; it has: {', '.join(there) or 'none'}"
        )
        for name in expected
    ]
