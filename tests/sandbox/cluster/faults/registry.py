"""The faults by name, and what each of them is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.sandbox.cluster.quantities import rfc3339
from tests.sandbox.cluster.world import World


@dataclass(frozen=True)
class Since:
    """When a fault was switched on; what it tells is dated back, so that nothing has to be waited for."""

    at: datetime

    def ago(self, minutes: float) -> str:
        return rfc3339(self.at - timedelta(minutes=minutes))


Act = Callable[[World, Since], None]


@dataclass(frozen=True)
class Fault:
    act: Act
    settled: bool

    @property
    def what(self) -> str:
        return (self.act.__doc__ or "").strip().splitlines()[0]


ALL: dict[str, Fault] = {}


def fault(*, settled: bool = False) -> Callable[[Act], Act]:
    """Register a function as the fault of its name."""

    def register(act: Act) -> Act:
        ALL[act.__name__] = Fault(act, settled)
        return act

    return register


def apply(world: World, active: dict[str, Since], *, settled: bool) -> None:
    for name, since in active.items():
        if ALL[name].settled == settled:
            ALL[name].act(world, since)
