"""The one flow of every change: plan -> approve -> apply -> prove. The only code that changes anything.

Each change says in `operators/change_kinds/NAME.py` what it plans, applies and measures; everything else (limits,
approval, intents, locks, cooldowns, proof, the audit record) is here and in `core/changes.py`, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import BaseOperator, TriggerRule
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

    from docrag_ops.core.changes import Plan, Step
    from docrag_ops.core.findings import Finding, NotJudged
    from docrag_ops.hooks.change_records import ChangeRecord, ChangeRecords
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


class _ChangeOperator(BaseOperator):
    """What plan, apply and prove have in common."""

    template_fields: Sequence[str] = ("environment",)

    def __init__(self, *, change: str, environment: str = "{{ params.environment }}", **options: Any) -> None:
        super().__init__(**{"retries": 0, **options})
        self.change = change
        self.environment = environment

    def _asking(self, context: Context) -> Asking:
        return asking_of(context, self.environment)


def asking_of(context: Context, environment: str) -> Asking:
    """What sources and changes need to know, of a running task."""
    from docrag_ops.hooks.history import RunKey
    from docrag_ops.hooks.include import IncludeFolder
    from docrag_ops.operators.asking import Asking

    include = IncludeFolder()
    return Asking(
        environment=include.environment(environment),
        include=include,
        run=RunKey(environment=environment, entry=context["dag"].dag_id, run_id=context["run_id"]),
        now=datetime.now(UTC),
        task_instance=context["ti"],
    )


class PlanOperator(_ChangeOperator):
    """Measures, plans and keeps the plan; changes nothing.

    The plan is refused outside the entry's window and, in a runbook, beyond the blast radius; a scheduled entry
    that would act by itself asks a person there. Steps that an earlier, killed run left open are settled first.

    :param change: the change kind, a module of `operators/change_kinds`
    :param acts_alone: whether policy is approval enough within the blast radius (a scheduled entry)
    :param only_plan: end with the plan, a dry run (templated)
    """

    template_fields: Sequence[str] = ("environment", "only_plan")
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
        from docrag_ops.core.change_findings import findings_of_plan, not_measured
        from docrag_ops.core.changes import beyond_limits
        from docrag_ops.core.errors import CouldNotMeasureError
        from docrag_ops.core.rendering import render
        from docrag_ops.hooks.change_records import ChangeRecords

        asking, records = self._asking(context), ChangeRecords()
        kind, settings = change_of(self.change, asking), asking.environment.change(self.change)
        try:
            settled = _settle(records, kind, self.change, asking)
            plan = kind.plan()
        except CouldNotMeasureError as error:
            _hand_on(context, self.change, [not_measured(self.change, "planned", error)])
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
        record = _required(records, asking, self.change)
        self.log.info("\n%s", render(asking.include.text(PLAN_TEMPLATE), record=record))
        _hand_on(context, self.change, findings_of_plan(record, settled, late=bool(late)))


class ApproveOperator(ApprovalOperator):
    """Has a person decide on the whole plan, where policy is not enough; Reject unless they approve in time.

    A dry run and an empty plan end here; what is within policy goes on without a person. The decision is kept with
    the digest of the plan it was made on.

    :param change: the change kind
    :param response_timeout: how long a person has; shorter than the entry's period
    """

    template_fields = ("environment", "subject", "body")
    ui_color = "#f3d9a4"
    applies = False

    def __init__(
        self,
        *,
        change: str,
        response_timeout: timedelta,
        environment: str = "{{ params.environment }}",
        **options: Any,
    ) -> None:
        # An answer within about a second of parking fails the task once: apache/airflow #66374, #71580.
        super().__init__(
            **{
                "subject": f"Approve {change} in {environment}?",
                "defaults": self.REJECT,
                "retries": 2,
                "retry_delay": timedelta(seconds=2),
                "execution_timeout": None,
                **options,
            },
            response_timeout=response_timeout,
        )
        self.change = change
        self.environment = environment

    def execute(self, context: Context) -> Any:
        """Go on where policy is enough, end where nothing may be done, else show the plan and wait."""
        from docrag_ops.core.changes import Decision
        from docrag_ops.core.rendering import render
        from docrag_ops.hooks.change_records import ChangeRecords

        asking, records = asking_of(context, self.environment), ChangeRecords()
        record = _required(records, asking, self.change)
        if record.dry_run or not record.plan.steps:
            self.log.info("A dry run ends here." if record.dry_run else "There is nothing to do.")
            self.skip(ti=context["ti"], tasks=context["task"].get_direct_relatives(upstream=False))
            return None
        if not record.ask:
            records.record_decision(
                record.id, Decision.POLICY, by="policy", digest=record.digest, at=asking.now
            )
            return None
        self.body = render(asking.include.text(PLAN_TEMPLATE), record=record)
        self._call_somebody(context, record)
        return super().execute(context)

    def _call_somebody(self, context: Context, record: ChangeRecord) -> None:
        """Tell people that one of them is asked, until when, and where to answer."""
        from docrag_ops.core.alarms import Alarm, Kind
        from docrag_ops.hooks.links import minute
        from docrag_ops.operators.delivery import keep_and_deliver

        now, run = datetime.now(UTC), context["dag_run"]
        facts = {
            "run_id": run.run_id,
            "text": record.plan.summary,
            "reason": record.ask,
            "by": record.requested_by,
            "deadline": minute(now + self.response_timeout) if self.response_timeout else "",
            "link": self.generate_link_to_ui(task_instance=context["ti"]),
        }
        keep_and_deliver(
            Alarm(
                kind=Kind.APPROVAL,
                dag_id=context["dag"].dag_id,
                run_id=run.run_id,
                clear_number=run.clear_number,
                happened_at=now,
                facts=facts,
            )
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Keep who decided what, before the tasks after this one run or are skipped."""
        from docrag_ops.core.changes import Decision
        from docrag_ops.hooks.change_records import ChangeRecords

        asking, records = asking_of(context, self.environment), ChangeRecords()
        record = _required(records, asking, self.change)
        user = event.get("responded_by_user") or {}
        if not user:
            decision = Decision.EXPIRED
        else:
            approved = event.get("chosen_options") == [self.APPROVE]
            decision = Decision.APPROVED if approved else Decision.REJECTED
        name = user.get("name") or user.get("id") or "nobody"
        records.record_decision(record.id, decision, by=name, digest=record.digest, at=asking.now)
        return super().execute_complete(context=context, event=event)


class ApplyOperator(_ChangeOperator):
    """Does exactly the approved plan, step by step, each with an intent written first. Never retried.

    Cleared after a kill, it finds out what was done and does nothing twice.
    """

    ui_color = "#f0c8b8"
    applies = True  # so no DAG has it without an approval before it: a policy test

    def execute(self, context: Context) -> None:
        """Refuse what may not be done; measure; apply each step that is still as planned."""
        from docrag_ops.core.changes import tally
        from docrag_ops.core.errors import ChangeRefusedError
        from docrag_ops.hooks.change_records import ChangeRecords

        asking, records = self._asking(context), ChangeRecords()
        record = _required(records, asking, self.change)
        kind = change_of(self.change, asking)
        try:
            _refuse_unless_approved(record)
            with records.exclusive(self.environment, record.plan.targets):
                _refuse_too_soon(records, record, asking)
                if record.before is None:
                    records.record_before(record.id, kind.measure(record.plan))
                outcomes = [
                    self._step(records, kind, record, number, step)
                    for number, step in enumerate(record.plan.steps)
                ]
        except ChangeRefusedError as error:
            raise AirflowFailException(f"Nothing is changed: {error}") from error
        self.log.info("Applied: %s", tally(outcomes))

    def _step(
        self, records: ChangeRecords, kind: Change, record: ChangeRecord, number: int, step: Step
    ) -> Any:
        from docrag_ops.core.changes import StepOutcome, what_changed
        from docrag_ops.core.errors import ChangeError, CouldNotMeasureError

        earlier = next((one for one in record.steps if one.number == number), None)
        if earlier and earlier.outcome is not StepOutcome.STARTED:
            return earlier.outcome
        if earlier and kind.was_done(step):
            what = "done before the task was killed"
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
            raise AirflowFailException(
                f"Step {number + 1} of {len(record.plan.steps)} went wrong ({step.action} {step.subject}): {error}. "
                "The steps after it were not begun."
            ) from error
        records.end_step(record.id, number, outcome, what=what, at=datetime.now(UTC))
        self.log.info("%s %s: %s", step.action, step.subject, what)
        return outcome


class ProveOperator(_ChangeOperator):
    """Measures again what was measured before, and says in findings what became of the plan.

    Runs whatever became of the tasks before it, so that a change that failed half-way is measured too. A change that
    did not get better what it was for is undone, where its kind can.

    :param settle: how long the system may settle before it is measured again; no worker waits meanwhile
    """

    ui_color = "#d9e8f0"
    applies = False

    def __init__(self, *, settle: timedelta = timedelta(0), **options: Any) -> None:
        super().__init__(trigger_rule=TriggerRule.ALL_DONE, **options)
        self.settle = settle

    def execute(self, context: Context) -> None:
        """Wait for the system to settle when something was changed, then prove."""
        from docrag_ops.hooks.change_records import ChangeRecords

        record = _required(ChangeRecords(), self._asking(context), self.change)
        if self.settle and record.steps and record.after is None:
            from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger

            self.defer(trigger=TimeDeltaTrigger(self.settle), method_name="prove")
        self.prove(context)

    def prove(self, context: Context, event: Any = None) -> None:
        """Measure, compare, keep the proof; be red when the change did not do what it was for."""
        from docrag_ops.core.change_findings import findings_about, not_measured
        from docrag_ops.core.errors import CouldNotMeasureError
        from docrag_ops.hooks.change_records import ChangeRecords

        asking, records = self._asking(context), ChangeRecords()
        record = _required(records, asking, self.change)
        try:
            if record.before is not None:
                _measure_again(records, record, change_of(self.change, asking))
                record = _required(records, asking, self.change)
            findings, not_judged = findings_about(record, scheduled=_is_scheduled(context))
        except CouldNotMeasureError as error:
            findings, not_judged = (not_measured(self.change, "proved", error),), ()
        _hand_on(context, self.change, findings, not_judged)


def _measure_again(records: ChangeRecords, record: ChangeRecord, kind: Change) -> None:
    """Keep the measurements after the change; undo a change that did not get better what it was for."""
    after = kind.measure(record.plan)
    not_better = kind.improved(record.plan, record.before or {}, after)
    if not_better and record.not_better is None:
        not_better = f"{not_better}. {kind.undo(record.plan)}"
    records.record_proof(record.id, after, not_better=record.not_better or not_better)


def _hand_on(
    context: Context, change: str, findings: Sequence[Finding], not_judged: Sequence[NotJudged] = ()
) -> None:
    """Push the findings of one task of a change, then fail when one of them does."""
    from docrag_ops.core.results import AreaResult

    result = AreaResult(area=change, findings=tuple(findings), not_judged=tuple(not_judged)).within_limits()
    context["ti"].xcom_push(key="return_value", value=result.to_dict())
    bad = [finding for finding in findings if finding.verdict.fails]
    if bad:
        raise AirflowFailException("; ".join(f"{one.check}: {one.evidence}" for one in bad))


def _required(records: ChangeRecords, asking: Asking, change: str) -> ChangeRecord:
    """The record of this run's change.

    :raises AirflowFailException: without one (or without the history database) nothing may be done.
    """
    record = records.find(asking.run, change)
    if record is None:
        raise AirflowFailException(f"This run has kept no plan of {change!r}; clear the task that plans it.")
    return record


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
    if not _is_scheduled(context) or now <= due + window:
        return ""
    return f"the run was due at {due:%Y-%m-%d %H:%M} UTC and may change something for {window} only; it is {now:%H:%M}"


def _is_scheduled(context: Context) -> bool:
    return str(getattr(context["dag_run"].run_type, "value", context["dag_run"].run_type)) == "scheduled"


def _requested_by(context: Context) -> str:
    return getattr(context["dag_run"], "triggering_user_name", None) or (
        "schedule" if _is_scheduled(context) else "unknown"
    )
