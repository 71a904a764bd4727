"""A figure: what ours costs as a ratio of what it is compared with, and the goal for that ratio."""

import dataclasses
import statistics
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of `make bench`, one key of .bench.json."""

    name: str
    ratio: float | None
    """Ours ÷ theirs; None when it could not be measured."""
    goal: float
    """The ratio is to be this or less; or more, see `more_is_better`."""
    details: dict[str, Any]
    """What was measured, with units in the keys; for what is not measured, why."""
    within: bool = True
    """Whether what has a goal besides the ratio (such as a peak of memory) keeps to it."""

    more_is_better: bool = False

    @property
    def state(self) -> str:
        if self.ratio is None:
            return "not measured"
        reached = self.ratio >= self.goal if self.more_is_better else self.ratio <= self.goal
        return "ok" if reached and self.within else "short"

    def to_dict(self) -> dict[str, Any]:
        ok = None if self.ratio is None else self.state == "ok"
        return {"ratio": self.ratio, "goal": self.goal, "ok": ok, **self.details}

    def line(self) -> str:
        ratio = "-" if self.ratio is None else f"{self.ratio:.3f}"
        details = "  ".join(f"{key}={value}" for key, value in self.details.items())
        return f"{self.name:<14} {ratio:>7}  goal {self.goal:<5} {self.state:<12} {details}"


def not_measured(name: str, goal: float, why: str) -> Figure:
    return Figure(name=name, ratio=None, goal=goal, details={"why": why})


def compare(
    name: str,
    goal: float,
    *,
    ours: Callable[[], float],
    theirs: Callable[[], float],
    rounds: int,
    unit: str,
    also: dict[str, Any] | None = None,
) -> Figure:
    """Measure both sides alternating, after one round that only warms up; medians.

    Alternating spreads whatever else the machine does over both sides.
    """
    ours(), theirs()
    measured = [(ours(), theirs()) for _ in range(rounds)]
    our_median = statistics.median(pair[0] for pair in measured)
    their_median = statistics.median(pair[1] for pair in measured)
    details = {
        f"ours_{unit}": round(our_median, 3),
        f"theirs_{unit}": round(their_median, 3),
        "rounds": rounds,
        **(also or {}),
    }
    return Figure(name=name, ratio=round(our_median / their_median, 3), goal=goal, details=details)
