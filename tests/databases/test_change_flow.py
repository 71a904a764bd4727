"""The change flow on a real history: each test tries to get something done that nobody approved, or done twice."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from docrag_ops.core.changes import Decision, Plan, Step, StepOutcome
from docrag_ops.core.environments import ChangeSection
from docrag_ops.core.errors import ChangeError, CouldNotMeasureError, UnreachableError
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.change_records import ChangeRecords
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators import changes as flow

pytestmark = pytest.mark.sandbox
CHANGE = "paint_fence"
WEEK = timedelta(days=7)
DUE = datetime.now(UTC)


class Killed(BaseException):
    """Stands for `kill -9`: nothing catches it."""


@dataclass
class Fence:
    """A system under change: boards, each with a colour. `kill_before`/`kill_after` end the task at a board."""

    boards: dict[str, str] = field(default_factory=lambda: {"left": "grey", "right": "grey"})
    painted: list[str] = field(default_factory=list)
    kill_before: str = ""
    kill_after: str = ""
    fails_at: str = ""

    def plan(self) -> Plan:
        steps = tuple(
            Step(action="paint", subject=name, target="fence", fingerprint={"colour": colour})
            for name, colour in self.boards.items()
            if colour == "grey"
        )
        amounts = {"boards": float(len(steps))}
        return Plan(
            change=CHANGE,
            environment="docrag-prod",
            summary=f"{len(steps)} boards are painted.",
            steps=steps,
            amounts=amounts,
            expected="no grey board",
            undo="by sanding",
        )

    def measure(self, plan: Plan) -> Mapping[str, float]:
        return {"grey boards": float(list(self.boards.values()).count("grey"))}

    def look(self, step: Step) -> Mapping[str, str] | None:
        colour = self.boards.get(step.subject)
        return None if colour is None else {"colour": colour}

    def apply(self, step: Step) -> str:
        if step.subject == self.kill_before:
            raise Killed
        if step.subject == self.fails_at:
            raise ChangeError("the brush broke")
        self.boards[step.subject] = "green"
        self.painted.append(step.subject)
        if step.subject == self.kill_after:
            raise Killed
        return "painted green"

    def was_done(self, step: Step) -> bool:
        return self.boards.get(step.subject) == "green"

    def improved(self, plan: Plan, before: Mapping[str, float], after: Mapping[str, float]) -> str:
        return "" if after["grey boards"] < before["grey boards"] else "as grey as before"

    def undo(self, plan: Plan) -> str:
        for step in plan.steps:
            self.boards[step.subject] = step.fingerprint["colour"]
        return "All boards were sanded."


class Runs:
    """Runs of one entry, task by task, as Airflow would run them."""

    def __init__(self, fence: Fence, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.fence, self.name = fence, name
        self.limits: dict[str, float] = {"boards": 2}
        real = IncludeFolder.environment
        monkeypatch.setattr(
            IncludeFolder, "environment", lambda include, _: self._environment(real(include, "docrag-prod"))
        )
        kind = SimpleNamespace(Change=lambda _asking: self.fence)
        monkeypatch.setattr("docrag_ops.operators.changes.flow.import_module", lambda _name: kind)
        monkeypatch.setattr(flow.ApproveOperator, "skip", lambda *_args, **_kwargs: None)

    def _environment(self, environment: Any) -> Any:
        return environment.model_copy(update={"changes": {CHANGE: ChangeSection(limits=self.limits)}})

    def context(self, run_id: str, *, scheduled: bool = True, due: datetime = DUE) -> Any:
        run = SimpleNamespace(
            run_type="scheduled" if scheduled else "manual", run_after=due, triggering_user_name=None
        )
        task = SimpleNamespace(get_direct_relatives=lambda upstream: [])
        ti = SimpleNamespace(xcom_push=lambda **_: None)
        return {
            "dag": SimpleNamespace(dag_id=self.name),
            "run_id": run_id,
            "dag_run": run,
            "ti": ti,
            "task_instance": ti,
            "task": task,
            "params": {"environment": "docrag-prod"},
        }

    def plan(self, run_id: str, *, alone: bool = True, dry_run: str = "False", **options: Any) -> None:
        operator = flow.PlanOperator(task_id="plan", change=CHANGE, acts_alone=alone, only_plan=dry_run)
        operator.execute(self.context(run_id, **options))

    def approval(self) -> flow.ApproveOperator:
        return flow.ApproveOperator(task_id="approve", change=CHANGE, response_timeout=timedelta(hours=1))

    def approve(self, run_id: str, **options: Any) -> None:
        self.approval().execute(self.context(run_id, **options))

    def answer(self, run_id: str, *, option: str, by: str | None) -> None:
        user = {"id": by, "name": by} if by else None
        event = {
            "chosen_options": [option],
            "params_input": {},
            "responded_at": DUE,
            "responded_by_user": user,
        }
        operator = self.approval()
        operator.fail_on_reject = False
        operator.execute_complete(self.context(run_id), event)

    def apply(self, run_id: str) -> None:
        flow.ApplyOperator(task_id="apply", change=CHANGE).execute(self.context(run_id))

    def prove(self, run_id: str, **options: Any) -> None:
        flow.ProveOperator(task_id="prove", change=CHANGE).execute(self.context(run_id, **options))

    def record(self, run_id: str) -> Any:
        run = RunKey(environment="docrag-prod", entry=self.name, run_id=run_id)
        return ChangeRecords().find(run, CHANGE)


@pytest.fixture
def runs(
    connect_to: Callable[..., None], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Runs:
    """An entry of the test's own; cooldowns do not reach from one test into another, as targets differ."""
    runs = Runs(Fence(), monkeypatch, request.node.name)
    real = Fence.plan

    def plan(fence: Fence) -> Plan:
        from dataclasses import replace

        made = real(fence)
        return replace(made, steps=tuple(replace(step, target=request.node.name) for step in made.steps))

    monkeypatch.setattr(Fence, "plan", plan)
    return runs


def refusal(action: Callable[[], None]) -> str:
    with pytest.raises(AirflowFailException) as caught:
        action()
    return str(caught.value)


def test_plan_within_policy_is_applied_and_proved(runs):
    runs.plan("1")
    runs.approve("1")
    runs.apply("1")
    runs.prove("1")
    record = runs.record("1")
    assert (record.decision, record.before, record.after) == (
        Decision.POLICY,
        {"grey boards": 2},
        {"grey boards": 0},
    )
    assert [step.outcome for step in record.steps] == [StepOutcome.DONE, StepOutcome.DONE]


def test_dry_run_changes_nothing(runs):
    runs.plan("1", dry_run="True")
    runs.approve("1")
    assert "dry run" in refusal(lambda: runs.apply("1"))
    assert runs.fence.painted == []


def test_dry_run_that_cannot_be_read_is_a_dry_run(runs):
    runs.plan("1", dry_run="None")
    assert "dry run" in refusal(lambda: runs.apply("1"))


def test_plan_that_nobody_decided_on_is_not_applied(runs):
    runs.plan("1")
    assert "nobody approved" in refusal(lambda: runs.apply("1"))
    assert runs.fence.painted == []


def test_plan_beyond_the_limit_is_not_approved_by_policy(runs):
    runs.limits = {"boards": 1}
    runs.plan("1")
    record = runs.record("1")
    ChangeRecords().record_decision(record.id, Decision.POLICY, by="policy", digest=record.digest, at=DUE)
    assert "nobody approved" in refusal(lambda: runs.apply("1"))


def test_amount_without_a_limit_asks_a_person(runs):
    runs.limits = {}
    runs.plan("1")
    assert "gives no limit" in runs.record("1").ask


def test_runbook_beyond_the_limit_is_refused_whoever_approves(runs):
    runs.limits = {"boards": 1}
    assert "beyond the limit" in refusal(lambda: runs.plan("1", alone=False, scheduled=False))
    runs.answer("1", option="Approve", by="alice")
    assert "refused" in refusal(lambda: runs.apply("1"))


def test_rejected_plan_is_not_applied(runs):
    runs.plan("1", alone=False)
    runs.answer("1", option="Reject", by="alice")
    assert "rejected" in refusal(lambda: runs.apply("1"))
    runs.prove("1")  # green: a person said no
    assert runs.fence.painted == []


def test_plan_that_nobody_answered_is_not_applied(runs):
    runs.plan("1", alone=False)
    runs.answer("1", option="Reject", by=None)
    assert "expired" in refusal(lambda: runs.apply("1"))


def test_default_answer_after_the_time_limit_never_approves(runs):
    """Even if the default were set to Approve: an answer without a person is none."""
    runs.plan("1", alone=False)
    runs.answer("1", option="Approve", by=None)
    assert "expired" in refusal(lambda: runs.apply("1"))


def test_scheduled_entry_that_nobody_answered_is_red(runs):
    runs.plan("1", alone=False)
    runs.answer("1", option="Reject", by=None)
    assert "nobody answered" in refusal(lambda: runs.prove("1", scheduled=True))


def test_runbook_that_nobody_answered_is_green(runs):
    runs.plan("1", alone=False, scheduled=False)
    runs.answer("1", option="Reject", by=None)
    runs.prove("1", scheduled=False)


def test_plan_altered_in_the_database_after_approval_is_not_applied(runs):
    from docrag_ops.hooks.history_tables import changes

    runs.plan("1", alone=False)
    runs.answer("1", option="Approve", by="alice")
    plan = runs.record("1").plan.to_dict()
    plan["steps"].append({**plan["steps"][0], "subject": "the neighbour's fence"})
    with ChangeRecords().transaction() as connection:
        connection.execute(changes.update().where(changes.c.entry == runs.name).values(plan=plan))
    assert "altered" in refusal(lambda: runs.apply("1"))


def test_plan_made_anew_does_not_inherit_the_approval(runs):
    runs.plan("1", alone=False)
    runs.answer("1", option="Approve", by="alice")
    runs.fence.boards["gate"] = "grey"
    runs.limits = {"boards": 3}
    runs.plan("1", alone=False)
    assert "nobody approved" in refusal(lambda: runs.apply("1"))


def test_plan_is_not_made_anew_once_it_was_begun(runs):
    runs.plan("1")
    runs.approve("1")
    runs.apply("1")
    with pytest.raises(ChangeError, match="begun"):
        runs.plan("1")


def test_plan_that_cannot_be_measured_is_unknown(runs, monkeypatch):
    def blind(_fence: Fence) -> Plan:
        raise CouldNotMeasureError("fog")

    monkeypatch.setattr(Fence, "plan", blind)
    assert "fog" in refusal(lambda: runs.plan("1"))
    assert runs.record("1") is None


def test_board_that_is_not_as_planned_is_left_alone_and_said(runs):
    runs.plan("1")
    runs.approve("1")
    runs.fence.boards["left"] = "blue"
    runs.apply("1")
    left = runs.record("1").steps[0]
    assert (left.outcome, "was grey, is blue" in left.what) == (StepOutcome.SKIPPED, True)
    assert runs.fence.boards["left"] == "blue"


def test_killed_between_intent_and_apply_is_applied_once_when_cleared(runs):
    runs.fence.kill_before = "right"
    runs.plan("1")
    runs.approve("1")
    with pytest.raises(Killed):
        runs.apply("1")
    runs.fence.kill_before = ""
    runs.apply("1")
    assert runs.fence.painted == ["left", "right"]


def test_killed_after_apply_is_not_applied_twice_when_cleared(runs):
    runs.fence.kill_after = "right"
    runs.plan("1")
    runs.approve("1")
    with pytest.raises(Killed):
        runs.apply("1")
    runs.fence.kill_after = ""
    runs.apply("1")
    assert runs.fence.painted == ["left", "right"]
    assert runs.record("1").steps[1].what == "found done when the task was run again"


def test_killed_between_apply_and_proof_is_proved_when_cleared(runs):
    runs.plan("1")
    runs.approve("1")
    runs.apply("1")
    runs.prove("1")
    runs.prove("1")
    assert runs.record("1").not_better == ""


def test_what_a_killed_run_left_open_is_settled_by_the_next(runs):
    runs.fence.kill_after = "left"
    runs.plan("1")
    runs.approve("1")
    with pytest.raises(Killed):
        runs.apply("1")
    runs.plan("2")
    assert [step.outcome for step in runs.record("1").steps] == [StepOutcome.DONE]


def test_killed_run_that_nobody_clears_is_red(runs):
    runs.fence.kill_after = "left"
    runs.plan("1")
    runs.approve("1")
    with pytest.raises(Killed):
        runs.apply("1")
    assert "killed" in refusal(lambda: runs.prove("1"))


def test_change_that_was_killed_is_proved_anew_once_it_is_finished(runs):
    runs.fence.kill_before = "left"
    runs.plan("1")
    runs.approve("1")
    with pytest.raises(Killed):
        runs.apply("1")
    assert "killed" in refusal(lambda: runs.prove("1"))
    runs.fence.kill_before = ""
    runs.apply("1")
    runs.prove("1")
    assert runs.record("1").not_better == ""


def test_step_that_goes_wrong_ends_the_plan_and_is_red(runs):
    runs.fence.fails_at = "left"
    runs.plan("1")
    runs.approve("1")
    assert "the brush broke" in refusal(lambda: runs.apply("1"))
    assert runs.fence.painted == []
    assert "the brush broke" in refusal(lambda: runs.prove("1"))


def test_step_that_went_wrong_is_begun_again_when_cleared_before_those_after_it(runs):
    runs.fence.fails_at = "left"
    runs.plan("1")
    runs.approve("1")
    refusal(lambda: runs.apply("1"))
    runs.fence.fails_at = ""
    runs.apply("1")
    assert runs.fence.painted == ["left", "right"]
    assert {step.outcome for step in runs.record("1").steps} == {StepOutcome.DONE}


def test_target_whose_last_five_changes_failed_is_left_alone_for_an_hour(runs, monkeypatch):
    monkeypatch.setattr("docrag_ops.core.cooldowns.COOLDOWN", timedelta(0))
    runs.fence.fails_at = "left"
    for number in range(5):
        runs.plan(str(number))
        runs.approve(str(number))
        assert "the brush broke" in refusal(lambda number=number: runs.apply(str(number)))
    runs.fence.fails_at = ""
    runs.plan("sixth")
    runs.approve("sixth")
    assert "the last 5 changes of it failed" in refusal(lambda: runs.apply("sixth"))
    assert runs.fence.painted == []


def test_change_that_did_not_help_is_red(runs, monkeypatch):
    monkeypatch.setattr(Fence, "measure", lambda _fence, _plan: {"grey boards": 2.0})
    runs.plan("1")
    runs.approve("1")
    runs.apply("1")
    assert "as grey as before. All boards were sanded." in refusal(lambda: runs.prove("1"))
    assert runs.fence.boards == {"left": "grey", "right": "grey"}


def test_second_change_of_a_target_waits_for_the_cooldown(runs):
    runs.plan("1")
    runs.approve("1")
    runs.apply("1")
    runs.fence.boards["gate"] = "grey"
    runs.plan("2")
    runs.approve("2")
    assert "may be changed again" in refusal(lambda: runs.apply("2"))
    assert runs.fence.boards["gate"] == "grey"


def test_two_runs_do_not_change_the_same_target_at_once(runs):
    runs.plan("1")
    runs.approve("1")
    with ChangeRecords().exclusive("docrag-prod", [runs.name]):
        assert "Another run" in refusal(lambda: runs.apply("1"))
    assert runs.fence.painted == []


def test_scheduled_run_outside_its_window_changes_nothing(runs):
    late = DUE - timedelta(hours=4)
    assert "was due" in refusal(lambda: runs.plan("1", due=late))
    assert "refused" in refusal(lambda: runs.apply("1"))


def test_run_by_hand_has_no_window(runs):
    runs.plan("1", scheduled=False, due=DUE - WEEK)
    assert runs.record("1").refused == ""


def test_without_the_history_nothing_is_changed(runs, monkeypatch):
    runs.plan("1")
    runs.approve("1")
    broken = os.environ["AIRFLOW_CONN_DOCRAG_HISTORY"].replace("docrag_history", "nowhere")
    monkeypatch.setenv("AIRFLOW_CONN_DOCRAG_HISTORY", broken)
    with pytest.raises(UnreachableError):
        runs.apply("1")
    assert runs.fence.painted == []
