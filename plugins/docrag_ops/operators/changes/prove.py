"""Proving: the same measurements before and after; what did not get better is undone, where that can be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import TriggerRule

from docrag_ops.operators.changes.flow import (
    Change,
    ChangeOperator,
    change_of,
    hand_on,
    is_scheduled,
    required_record,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.change_record import ChangeRecord
    from docrag_ops.hooks.change_records import ChangeRecords


class ProveOperator(ChangeOperator):
    """Measures again what was measured before, and says in findings what became of the plan.

    Runs whatever became of the tasks before it, so that a change that failed half-way is measured too. A change that
    did not get better what it was for is undone, where its kind can.

    :param settle: how long the system may settle before it is measured again; no worker waits meanwhile
    :param settle_minutes: the same, in minutes, where a person says it in the form (templated)
    """

    ui_color = "#d9e8f0"
    applies = False

    template_fields: Sequence[str] = ("settle_minutes",)

    def __init__(
        self, *, settle: timedelta = timedelta(0), settle_minutes: str = "0", **options: Any
    ) -> None:
        super().__init__(trigger_rule=TriggerRule.ALL_DONE, **options)
        self.settle = settle
        self.settle_minutes = settle_minutes

    def execute(self, context: Context) -> None:
        """Wait for the system to settle when something was changed, then prove."""
        from docrag_ops.hooks.change_records import ChangeRecords
        from docrag_ops.operators.asking import asking_of

        record = required_record(ChangeRecords(), asking_of(context), self.change)
        settle = self.settle + timedelta(minutes=float(self.settle_minutes))
        if settle and record.steps and record.after is None:
            from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

            self.defer(trigger=TimeDeltaTrigger(settle), method_name="prove")
        self.prove(context)

    def prove(self, context: Context, event: Any = None) -> None:
        """Measure, compare, keep the proof; be red when the change did not do what it was for."""
        from docrag_ops.core.change_findings import findings_about, not_measured
        from docrag_ops.core.errors import CouldNotMeasureError
        from docrag_ops.hooks.change_records import ChangeRecords
        from docrag_ops.operators.asking import asking_of

        asking, records = asking_of(context), ChangeRecords()
        record = required_record(records, asking, self.change)
        try:
            if record.before is not None:
                _measure_again(records, record, change_of(self.change, asking))
                record = required_record(records, asking, self.change)
            findings, not_judged = findings_about(record, scheduled=is_scheduled(context))
        except CouldNotMeasureError as error:
            findings, not_judged = (not_measured(self.change, "proved", error),), ()
        hand_on(context, self.change, findings, not_judged)


def _measure_again(records: ChangeRecords, record: ChangeRecord, kind: Change) -> None:
    """Keep the measurements after the change; undo a change that did not get better what it was for."""
    after = kind.measure(record.plan)
    not_better = kind.improved(record.plan, record.before or {}, after)
    if not_better and record.not_better is None:
        not_better = f"{not_better}. {kind.undo(record.plan)}"
    records.record_proof(record.id, after, not_better=record.not_better or not_better)
