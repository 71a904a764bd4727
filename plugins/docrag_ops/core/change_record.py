"""The audit record of one change: what was planned, by whom it was decided, what was done, and what it came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from docrag_ops.core.changes import Decision, Plan, StepOutcome
from docrag_ops.core.runs import RunKey


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """What became of one step."""

    number: int
    action: str
    subject: str
    target: str
    outcome: StepOutcome
    what: str
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ChangeRecord:
    """One planned change of one run, with all that became of it."""

    id: int
    run: RunKey
    change: str
    planned_at: datetime
    requested_by: str
    plan: Plan
    digest: str
    dry_run: bool
    refused: str
    ask: str
    decision: Decision | None
    decided_by: str
    decided_at: datetime | None
    decided_digest: str
    before: Mapping[str, float] | None
    after: Mapping[str, float] | None
    not_better: str | None
    steps: tuple[StepRecord, ...] = ()

    @property
    def unfinished_steps(self) -> list[int]:
        """The numbers of the planned steps that have neither been done nor been left alone."""
        ended = {one.number for one in self.steps if one.outcome in (StepOutcome.DONE, StepOutcome.SKIPPED)}
        return [number for number in range(len(self.plan.steps)) if number not in ended]
