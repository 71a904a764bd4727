"""What the operators of the flow have in common, and what each kind of change has to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.change_record import ChangeRecord
    from docrag_ops.core.changes import Plan, Step
    from docrag_ops.core.findings import Finding, NotJudged
    from docrag_ops.hooks.change_records import ChangeRecords
    from docrag_ops.operators.asking import Asking

PLAN_TEMPLATE = "reports/plan.md.j2"


class Change(Protocol):
    """What a change kind has to say."""

    def plan(self) -> Plan:
        """Measure and plan; change nothing."""

    def measure(self, plan: Plan) -> Mapping[str, float]:
        """The proof's numbers, with the same keys before and after."""

    def look(self, step: Step) -> Mapping[str, str] | None:
        """The step's fingerprint as it is now; None when its subject is gone."""

    def apply(self, step: Step) -> str:
        """Do exactly this step; says what was done, raises ChangeError when it went wrong."""

    def was_done(self, step: Step) -> bool:
        """Whether a step whose task was killed has been done."""

    def improved(self, plan: Plan, before: Mapping[str, float], after: Mapping[str, float]) -> str:
        """What did not get better; empty when the change did what it was for."""

    def undo(self, plan: Plan) -> str:
        """Undo a change that did not help; says what was undone, or why that cannot be."""


def change_of(name: str, asking: Asking) -> Change:
    """The change kind of a name, for this environment."""
    change: Change = import_module(f"docrag_ops.operators.change_kinds.{name}").Change(asking)
    return change


class ChangeOperator(BaseOperator):
    """What plan, apply and prove have in common."""

    def __init__(self, *, change: str, **options: Any) -> None:
        super().__init__(**{"retries": 0, **options})
        self.change = change


def hand_on(
    context: Context, change: str, findings: Sequence[Finding], not_judged: Sequence[NotJudged] = ()
) -> None:
    """Push the findings of one task of a change, then fail when one of them does."""
    from docrag_ops.core.results import AreaResult

    result = AreaResult(area=change, findings=tuple(findings), not_judged=tuple(not_judged)).within_limits()
    context["ti"].xcom_push(key="return_value", value=result.to_dict())
    bad = [finding for finding in findings if finding.verdict.fails]
    if bad:
        raise AirflowFailException("; ".join(f"{one.check}: {one.evidence}" for one in bad))


def required_record(records: ChangeRecords, asking: Asking, change: str) -> ChangeRecord:
    """The record of this run's change.

    :raises AirflowFailException: without one (or without the history database) nothing may be done.
    """
    record = records.find(asking.run, change)
    if record is None:
        raise AirflowFailException(f"This run has kept no plan of {change!r}; clear the task that plans it.")
    return record


def is_scheduled(context: Context) -> bool:
    return str(getattr(context["dag_run"].run_type, "value", context["dag_run"].run_type)) == "scheduled"
