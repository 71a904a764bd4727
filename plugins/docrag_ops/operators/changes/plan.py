"""Planning: what will be done, to whom, how much of it; nothing is changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from docrag_ops.operators.changes.flow import (
    PLAN_TEMPLATE,
    Change,
    ChangeOperator,
    change_of,
    hand_on,
    is_scheduled,
    required_record,
)

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.hooks.change_records import ChangeRecords
    from docrag_ops.operators.asking import Asking


class PlanOperator(ChangeOperator):
    """Measures, plans and keeps the plan; changes nothing.

    The plan is refused outside the entry's window and, in a runbook, beyond the blast radius; a scheduled entry
    that would act by itself asks a person there. Steps that an earlier, killed run left open are settled first.

    :param change: the change kind, a module of `operators/change_kinds`
    :param acts_alone: whether policy is approval enough within the blast radius (a scheduled entry)
    :param only_plan: end with the plan, a dry run (templated)
    """

    template_fields: Sequence[str] = ("only_plan",)
    ui_color = "#f7efd9"
    applies = False

    def __init__(
        self, *, acts_alone: bool = False, only_plan: str = "{{ params.dry_run }}", **options: Any
    ) -> None:
        super().__init__(**options)
        self.acts_alone = acts_alone
        self.only_plan = only_plan

    def execute(self, context: Context) -> None:
        """Settle what was left open, plan, hold the plan against limits and window, keep it."""
        from docrag_ops.core.change_findings import findings_of_plan, handed_over, not_measured
        from docrag_ops.core.changes import beyond_limits
        from docrag_ops.core.errors import CouldNotMeasureError
        from docrag_ops.core.rendering import render
        from docrag_ops.hooks.change_records import ChangeRecords
        from docrag_ops.operators.asking import asking_of

        asking, records = asking_of(context), ChangeRecords()
        kind, settings = change_of(self.change, asking), asking.environment.change(self.change)
        try:
            settled = _settle(records, kind, self.change, asking)
            plan = kind.plan()
        except CouldNotMeasureError as error:
            hand_on(context, self.change, [not_measured(self.change, "planned", error)])
            return
        beyond = beyond_limits(plan, settings.limits)
        late = _outside_window(context, settings.window, now=asking.now)
        refused = late or ("" if self.acts_alone else "; ".join(beyond))
        ask = "; ".join(beyond) if self.acts_alone else "a runbook asks a person before it changes anything"
        records.record_plan(
            asking.run,
            plan,
            requested_by=_requested_by(context),
            dry_run=str(self.only_plan).lower() != "false",
            refused=refused,
            ask=ask,
            at=asking.now,
        )
        record = required_record(records, asking, self.change)
        self.log.info("\n%s", render(asking.include.text(PLAN_TEMPLATE), record=record))
        hand_on(context, self.change, findings_of_plan(record, settled, late=bool(late)), handed_over(record))


def _settle(records: ChangeRecords, kind: Change, change: str, asking: Asking) -> list[str]:
    """Find out what became of steps whose tasks were killed in earlier runs, and keep it; in words."""
    from docrag_ops.core.changes import StepOutcome

    texts = []
    for record in records.unfinished(asking.run.environment, change, but=asking.run):
        for step in (one for one in record.steps if one.outcome is StepOutcome.STARTED):
            done = kind.was_done(record.plan.steps[step.number])
            outcome = StepOutcome.DONE if done else StepOutcome.FAILED
            what = "found done by a later run" if done else "its task was killed before it was done"
            records.end_step(record.id, step.number, outcome, what=what, at=asking.now)
            texts.append(f"{step.action} {step.subject} of run {record.run.run_id}: {what}")
    return texts


def _outside_window(context: Context, window: timedelta, *, now: datetime) -> str:
    """Why a scheduled run comes too late to change anything; empty when it does not."""
    due = context["dag_run"].run_after
    if not is_scheduled(context) or now <= due + window:
        return ""
    return f"the run was due at {due:%Y-%m-%d %H:%M} UTC and may change something for {window} only; it is {now:%H:%M}"


def _requested_by(context: Context) -> str:
    return getattr(context["dag_run"], "triggering_user_name", None) or (
        "schedule" if is_scheduled(context) else "unknown"
    )
