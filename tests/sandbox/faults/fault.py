"""What a fault is."""

import dataclasses
from collections.abc import Callable
from typing import Any

from tests.sandbox.errors import SandboxError
from tests.sandbox.processes import wait_until
from tests.sandbox.settings import Settings

State = dict[str, Any]


def nothing(settings: Settings) -> State:
    return {}


@dataclasses.dataclass(frozen=True)
class Fault:
    """`before` says what must be known to undo it, kept before anything is broken; `on` returns when it is true.

    `off` must also work when `on` got only half-way. `dies_with_down`: stopping the sandbox undoes it.
    """

    name: str
    what: str
    on: Callable[[Settings, State], None]
    off: Callable[[Settings, State], None]
    before: Callable[[Settings], State] = nothing
    dies_with_down: bool = False


def wait_for(what: str, true: Callable[[], bool], timeout_seconds: float = 90) -> None:
    """Wait until a fault is really there, or really gone."""
    if not wait_until(true, timeout_seconds, pause_seconds=0.2):
        raise SandboxError(f"Waited {timeout_seconds:.0f} s in vain for: {what}")
