"""A change as data: what will be done, to whom, how much of it, and how it is known to have worked.

A plan is kept as JSON and known by its digest: what is applied is exactly what was approved.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from docrag_ops.core.units import format_amount


class Decision(StrEnum):
    """What became of a plan before anything was done."""

    POLICY = "within policy"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"


class StepOutcome(StrEnum):
    """What became of one step. `started` is all that is known of a step whose task was killed meanwhile."""

    STARTED = "started"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that will be done.

    :param action: a verb, e.g. `delete`
    :param subject: what it is done to, as a person reads it
    :param target: what only one change at a time may work on, and what a cooldown is kept for, e.g. a pod
    :param fingerprint: what must still be so when the step is applied (size, inode, resource version, backend start)
    """

    action: str
    subject: str
    target: str
    fingerprint: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a change will do.

    :param amounts: the blast radius by name, held against the environment's limits (files, bytes, pods, rows, share)
    :param protected: what was left alone, each with the rule that protected it
    :param unknown: what could not be measured, each with why: the rest is done, and each of these is a finding
    :param handed_over: what only a person can do, each with how
    """

    change: str
    environment: str
    summary: str
    steps: tuple[Step, ...]
    amounts: Mapping[str, float]
    expected: str
    undo: str
    protected: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    handed_over: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The reverse of `to_dict`."""
        steps = tuple(Step(**step) for step in data["steps"])
        pairs = {
            name: tuple((subject, why) for subject, why in data.get(name, ()))
            for name in ("protected", "unknown", "handed_over")
        }
        return cls(**{**data, "steps": steps, **pairs})

    @property
    def digest(self) -> str:
        """What the plan is known by; any change of it is another digest."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def targets(self) -> tuple[str, ...]:
        """What the steps work on, each once, in order: locks are taken in this order by every run."""
        return tuple(sorted({step.target for step in self.steps}))


def beyond_limits(plan: Plan, limits: Mapping[str, float]) -> list[str]:
    """Where the plan goes beyond the environment's blast radius, in words; empty when it does not.

    An amount without a limit is beyond it: nobody has said how much is allowed.
    """
    texts = []
    for name, amount in plan.amounts.items():
        if name not in limits:
            texts.append(f"{name}: {format_amount(amount, name)}, and the environment gives no limit for it")
        elif amount > limits[name]:
            limit = format_amount(limits[name], name)
            texts.append(f"{name}: {format_amount(amount, name)}, beyond the limit of {limit}")
    return texts


def what_changed(planned: Mapping[str, str], now: Mapping[str, str] | None) -> str:
    """How the world differs from the plan, in words; empty when it does not."""
    if now is None:
        return "it is gone"
    differing = [name for name in planned if planned[name] != now.get(name)]
    return ", ".join(f"{name} was {planned[name]}, is {now.get(name, 'unknown')}" for name in differing)


def tally(outcomes: Sequence[StepOutcome]) -> str:
    """How the steps ended, in words: `3 done, 1 skipped`."""
    counts = {outcome: outcomes.count(outcome) for outcome in StepOutcome}
    return ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items() if count) or "no step"
