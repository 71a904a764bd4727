"""The audit record of changes in the history database: plans, decisions, intents, proofs, locks.

Without it every change is refused, so nothing here has a way around an unreachable database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from docrag_ops.core.change_record import ChangeRecord, StepRecord
from docrag_ops.core.changes import Decision, Plan, Step, StepOutcome
from docrag_ops.core.cooldowns import PastChange
from docrag_ops.core.errors import ChangeRefusedError
from docrag_ops.core.runs import RunKey
from docrag_ops.core.texts import storable
from docrag_ops.hooks.history import HistoryHook

if TYPE_CHECKING:
    from sqlalchemy import Row


class ChangeRecords(HistoryHook):
    """Keeps and finds the audit record, by the Connection `docrag_history`."""

    def record_plan(
        self,
        run: RunKey,
        plan: Plan,
        *,
        requested_by: str,
        dry_run: bool,
        refused: str,
        ask: str,
        at: datetime,
    ) -> None:
        """Keep a plan. A plan made again takes the place of the earlier one, whose decision it does not inherit.

        :raises ChangeRefusedError: when steps of the earlier plan have been started: they would lose their record.
        """
        from docrag_ops.hooks.history_tables import changes

        earlier = self.find(run, plan.change)
        if earlier and earlier.steps:
            raise ChangeRefusedError(
                f"This run has begun to apply its plan of {earlier.planned_at:%Y-%m-%d %H:%M} UTC. Clear only the task "
                "that applies it, or trigger a new run."
            )
        values = {
            "planned_at": at,
            "requested_by": requested_by,
            "plan": plan.to_dict(),
            "digest": plan.digest,
            "dry_run": dry_run,
            "refused": refused,
            "ask": ask,
            **dict.fromkeys(
                ("decision", "decided_by", "decided_at", "decided_digest", "before", "after", "not_better")
            ),
        }
        with self.transaction() as connection:
            if earlier:
                connection.execute(changes.update().where(changes.c.id == earlier.id).values(**values))
            else:
                connection.execute(
                    changes.insert().values(**run.to_columns(), change_name=plan.change, **values)
                )

    def record_decision(
        self, change_id: int, decision: Decision, *, by: str, digest: str, at: datetime
    ) -> None:
        """Keep who decided what about which plan."""
        self._update(change_id, decision=decision, decided_by=by, decided_at=at, decided_digest=digest)

    def record_before(self, change_id: int, numbers: Mapping[str, float]) -> None:
        """Keep the proof's measurements before the first step."""
        self._update(change_id, before=dict(numbers))

    def record_proof(self, change_id: int, numbers: Mapping[str, float], *, not_better: str) -> None:
        """Keep the proof's measurements after the last step, and what did not get better."""
        self._update(change_id, after=dict(numbers), not_better=not_better)

    def forget_proof(self, change_id: int) -> None:
        """Forget the proof of steps that are about to be applied again."""
        self._update(change_id, after=None, not_better=None)

    def start_step(self, change_id: int, number: int, step: Step, *, at: datetime) -> None:
        """Write the intent, before anything is done."""
        from sqlalchemy.dialects.postgresql import insert

        from docrag_ops.hooks.history_tables import change_steps

        values = {"started_at": at, "ended_at": None, "outcome": StepOutcome.STARTED, "what": ""}
        statement = insert(change_steps).values(
            change_id=change_id,
            step_number=number,
            target=storable(step.target),
            action=step.action,
            subject=storable(step.subject),
            **values,
        )
        with self.transaction() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["change_id", "step_number"], set_=values)
            )

    def end_step(self, change_id: int, number: int, outcome: StepOutcome, *, what: str, at: datetime) -> None:
        """Keep what became of a step."""
        from docrag_ops.hooks.history_tables import change_steps as table

        which = (table.c.change_id == change_id, table.c.step_number == number)
        with self.transaction() as connection:
            connection.execute(
                table.update().where(*which).values(outcome=outcome, what=storable(what), ended_at=at)
            )

    def find(self, run: RunKey, change: str) -> ChangeRecord | None:
        """The record of a run's change, with its steps; None when nothing was planned."""
        found = [
            record for record in self.of_run(entry=run.entry, run_id=run.run_id) if record.change == change
        ]
        return next((record for record in found if record.run == run), None)

    def of_run(self, *, entry: str, run_id: str) -> list[ChangeRecord]:
        """All changes of a run, with their steps."""
        from docrag_ops.hooks.history_tables import changes

        return self._records(changes.c.entry == entry, changes.c.run_id == run_id)

    def unfinished(self, environment: str, change: str, *, but: RunKey) -> list[ChangeRecord]:
        """Changes of other runs that have steps of which only the start is known: their tasks were killed."""
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import change_steps, changes

        started = select(change_steps.c.change_id).where(change_steps.c.outcome == StepOutcome.STARTED)
        return self._records(
            changes.c.environment == environment,
            changes.c.change_name == change,
            changes.c.id.in_(started),
            changes.c.run_id != but.run_id,
        )

    def past(self, environment: str, change: str, target: str, *, but: RunKey) -> list[PastChange]:
        """How the last changes of a target by other runs ended, newest first; one entry per run."""
        from sqlalchemy import func, select

        from docrag_ops.hooks.history_tables import change_steps as steps
        from docrag_ops.hooks.history_tables import changes

        ended = func.max(steps.c.ended_at)
        failed = func.bool_or(steps.c.outcome == StepOutcome.FAILED)
        query = (
            select(changes.c.run_id, ended.label("ended_at"), failed.label("failed"))
            .join(steps, steps.c.change_id == changes.c.id)
            .where(
                changes.c.environment == environment,
                changes.c.change_name == change,
                changes.c.run_id != but.run_id,
                steps.c.target == storable(target),
                steps.c.outcome.in_([StepOutcome.DONE, StepOutcome.FAILED]),
            )
            .group_by(changes.c.id, changes.c.run_id)
            .order_by(ended.desc())
            .limit(10)
        )
        with self.transaction() as connection:
            rows = connection.execute(query).all()
        outcomes = {True: StepOutcome.FAILED, False: StepOutcome.DONE}
        return [PastChange(row.run_id, row.ended_at, outcomes[row.failed]) for row in rows]

    @contextmanager
    def exclusive(self, environment: str, targets: Sequence[str]) -> Iterator[None]:
        """Hold the targets, so that no other run changes them meanwhile; given back also when the task is killed.

        :raises ChangeRefusedError: when another run holds one of them.
        """
        from sqlalchemy import text

        with self.transaction() as connection:
            for target in sorted(targets):
                key = int.from_bytes(
                    hashlib.sha256(f"{environment}\0{target}".encode()).digest()[:8], "big", signed=True
                )
                if not connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": key}):
                    raise ChangeRefusedError(
                        f"Another run is changing {target!r} at this moment. Wait for its end."
                    )
            yield

    def _update(self, change_id: int, **values: Any) -> None:
        from docrag_ops.hooks.history_tables import changes

        with self.transaction() as connection:
            connection.execute(changes.update().where(changes.c.id == change_id).values(**values))

    def _records(self, *conditions: Any) -> list[ChangeRecord]:
        from sqlalchemy import select

        from docrag_ops.hooks.history_tables import change_steps, changes

        with self.transaction() as connection:
            rows = connection.execute(select(changes).where(*conditions).order_by(changes.c.id)).all()
            ids = [row.id for row in rows]
            steps = connection.execute(
                select(change_steps)
                .where(change_steps.c.change_id.in_(ids))
                .order_by(change_steps.c.step_number)
            ).all()
        return [_record(row, [step for step in steps if step.change_id == row.id]) for row in rows]


def _record(row: Row[Any], steps: Sequence[Row[Any]]) -> ChangeRecord:
    return ChangeRecord(
        id=row.id,
        run=RunKey(environment=row.environment, entry=row.entry, run_id=row.run_id),
        change=row.change_name,
        planned_at=row.planned_at,
        requested_by=row.requested_by,
        plan=Plan.from_dict(row.plan),
        digest=row.digest,
        dry_run=row.dry_run,
        refused=row.refused,
        ask=row.ask,
        decision=Decision(row.decision) if row.decision else None,
        decided_by=row.decided_by or "",
        decided_at=row.decided_at,
        decided_digest=row.decided_digest or "",
        before=row.before,
        after=row.after,
        not_better=row.not_better,
        steps=tuple(
            StepRecord(
                number=step.step_number,
                action=step.action,
                subject=step.subject,
                target=step.target,
                outcome=StepOutcome(step.outcome),
                what=step.what,
                started_at=step.started_at,
                ended_at=step.ended_at,
            )
            for step in steps
        ),
    )
