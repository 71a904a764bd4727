"""When a target may be changed again: five minutes after a change, an hour after five failures.

Source: kubernaut DD-WE-004, as in the table of limits that this project started from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from docrag_ops.core.changes import StepOutcome

COOLDOWN = timedelta(minutes=5)
MOST_FAILURES = 5
BLOCK = timedelta(hours=1)


@dataclass(frozen=True)
class PastChange:
    """How one run's work on a target ended."""

    run_id: str
    ended_at: datetime
    outcome: StepOutcome


def blocked(past: Sequence[PastChange], *, now: datetime) -> str:
    """Why the target may not be changed now, in words; empty when it may. `past` is newest first."""
    if not past:
        return ""
    last = past[0]
    failures = 0
    for change in past:
        if change.outcome is not StepOutcome.FAILED:
            break
        failures += 1
    wait = BLOCK if failures >= MOST_FAILURES else COOLDOWN
    until = last.ended_at + wait
    if now >= until:
        return ""
    why = (
        f"the last {failures} changes of it failed"
        if failures >= MOST_FAILURES
        else f"run {last.run_id} changed it"
    )
    return f"{why} at {last.ended_at:%H:%M:%S} UTC; it may be changed again from {until:%Y-%m-%d %H:%M:%S} UTC on"
