"""Applying: exactly the approved plan, each step with an intent written first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowFailException

from docrag_ops.operators.changes.flow import Change, ChangeOperator, change_of, required_record

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.change_record import ChangeRecord
    from docrag_ops.core.changes import Step
    from docrag_ops.hooks.change_records import ChangeRecords
    from docrag_ops.operators.asking import Asking


class ApplyOperator(ChangeOperator):
    """Does exactly the approved plan, step by step, each with an intent written first. Never retried.

    Cleared after a kill, it finds out what was done and does nothing twice.
    """

    ui_color = "#f0c8b8"
    applies = True  # so no DAG has it without an approval before it: a policy test

    def execute(self, context: Context) -> None:
        """Refuse what may not be done; measure; apply each step that is still as planned."""
        from docrag_ops.core.changes import StepOutcome, tally
        from docrag_ops.core.errors import ChangeRefusedError
        from docrag_ops.hooks.change_records import ChangeRecords
        from docrag_ops.operators.asking import asking_of

        asking, records = asking_of(context), ChangeRecords()
        record = required_record(records, asking, self.change)
        kind = change_of(self.change, asking)
        try:
            _refuse_unless_approved(record)
            with records.exclusive(asking.run.environment, record.plan.targets):
                _refuse_too_soon(records, record, asking)
                if record.before is None:
                    records.record_before(record.id, kind.measure(record.plan))
                if record.unfinished_steps:
                    records.forget_proof(record.id)  # of an earlier try, which was cut short
                outcomes = [
                    self._step(records, kind, record, number, step)
                    for number, step in enumerate(record.plan.steps)
                ]
        except ChangeRefusedError as error:
            raise AirflowFailException(f"Nothing is changed: {error}") from error
        self.log.info("Applied: %s", tally(outcomes))
        if StepOutcome.FAILED in outcomes:
            raise AirflowFailException(f"Not every step could be done: {tally(outcomes)}. See the report.")

    def _step(
        self, records: ChangeRecords, kind: Change, record: ChangeRecord, number: int, step: Step
    ) -> Any:
        """Apply one step, unless it is done; what went wrong or was cut short before is begun again."""
        from docrag_ops.core.changes import StepOutcome, what_changed
        from docrag_ops.core.errors import ChangeError, CouldNotMeasureError, StepFailedError

        earlier = next((one for one in record.steps if one.number == number), None)
        if earlier and earlier.outcome in (StepOutcome.DONE, StepOutcome.SKIPPED):
            return earlier.outcome
        if earlier and kind.was_done(step):
            what = "found done when the task was run again"
            records.end_step(record.id, number, StepOutcome.DONE, what=what, at=datetime.now(UTC))
            return StepOutcome.DONE
        try:
            changed = what_changed(step.fingerprint, kind.look(step))
            records.start_step(record.id, number, step, at=datetime.now(UTC))
            outcome = StepOutcome.SKIPPED if changed else StepOutcome.DONE
            what = f"left alone, it is not as planned: {changed}" if changed else kind.apply(step)
        except (ChangeError, CouldNotMeasureError) as error:
            records.start_step(record.id, number, step, at=datetime.now(UTC))
            records.end_step(record.id, number, StepOutcome.FAILED, what=str(error), at=datetime.now(UTC))
            if isinstance(error, StepFailedError):
                self.log.error("%s %s: %s", step.action, step.subject, error)
                return StepOutcome.FAILED
            raise AirflowFailException(
                f"Step {number + 1} of {len(record.plan.steps)} went wrong ({step.action} {step.subject}): {error}. "
                "The steps after it were not begun."
            ) from error
        records.end_step(record.id, number, outcome, what=what, at=datetime.now(UTC))
        self.log.info("%s %s: %s", step.action, step.subject, what)
        return outcome


def _refuse_unless_approved(record: ChangeRecord) -> None:
    from docrag_ops.core.changes import Decision
    from docrag_ops.core.errors import ChangeRefusedError

    if record.refused:
        raise ChangeRefusedError(f"the plan was refused: {record.refused}")
    if record.dry_run:
        raise ChangeRefusedError("this is a dry run")
    if record.decision not in (Decision.POLICY, Decision.APPROVED) or (
        record.decision is Decision.POLICY and record.ask
    ):
        raise ChangeRefusedError(f"nobody approved the plan (decision: {record.decision or 'none'})")
    if not record.decided_digest == record.digest == record.plan.digest:
        raise ChangeRefusedError("the plan was altered after it was approved; plan anew, in a new run")


def _refuse_too_soon(records: ChangeRecords, record: ChangeRecord, asking: Asking) -> None:
    from docrag_ops.core.cooldowns import blocked
    from docrag_ops.core.errors import ChangeRefusedError

    for target in record.plan.targets:
        past = records.past(record.run.environment, record.change, target, but=record.run)
        reason = blocked(past, now=asking.now)
        if reason:
            raise ChangeRefusedError(f"{target!r}: {reason}")
