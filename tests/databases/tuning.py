"""Runs of a tuning runbook, task by task, as Airflow would run them, on real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from docrag_ops.core.change_record import ChangeRecord
from docrag_ops.core.environments import ChangeSection
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.change_records import ChangeRecords
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators import changes as flow

NEVER_WORSE = {"repeats": 3, "worse_times": 1000, "worse_seconds": 10}


class Killed(BaseException):
    """Stands for `kill -9`: nothing catches it."""


class TuningRuns:
    """One runbook; `policy`, `limits`, `profiles` and `allowed` are what the environment and the catalogue say."""

    def __init__(self, change: str, name: str, monkeypatch: pytest.MonkeyPatch, **policy: Any) -> None:
        self.change, self.name = change, name
        self.policy: dict[str, Any] = {"probe": NEVER_WORSE, **policy}
        self.limits: dict[str, float] = {"settings": 12}
        self.sections: dict[str, Any] = {}
        self.profile, self.pushed = "measured", []
        self._include = monkeypatch
        real = IncludeFolder.environment
        monkeypatch.setattr(
            IncludeFolder, "environment", lambda include, _: self._environment(real(include, "docrag-prod"))
        )
        monkeypatch.setattr(flow.ApproveOperator, "skip", lambda *_args, **_kwargs: None)
        monkeypatch.setattr("docrag_ops.core.cooldowns.COOLDOWN", timedelta(0))

    def _environment(self, environment: Any) -> Any:
        section = ChangeSection(limits=self.limits, policy=self.policy)
        return environment.model_copy(update={"changes": {self.change: section}, **self.sections})

    def use(self, catalogue: str, file: str = "") -> None:
        """Put a text in the place of a file below include/."""
        real, path = IncludeFolder._read, file or f"tuning/{self.change.partition('_')[0]}.yaml"
        self._include.setattr(
            IncludeFolder,
            "_read",
            lambda include, asked: catalogue if str(asked) == path else real(include, asked),
        )

    def context(self) -> Any:
        run = SimpleNamespace(run_type="manual", run_after=datetime.now(UTC), triggering_user_name="alice")
        ti = SimpleNamespace(xcom_push=lambda key, value: self.pushed.append(value))
        return {
            "dag": SimpleNamespace(dag_id=self.name),
            "run_id": "1",
            "dag_run": run,
            "ti": ti,
            "task_instance": ti,
            "task": SimpleNamespace(get_direct_relatives=lambda upstream: []),
            "params": {"environment": "docrag-prod", "profile": self.profile},
        }

    def plan(self) -> ChangeRecord:
        """Plan, and let alice approve."""
        common = {"change": self.change}
        flow.PlanOperator(task_id="plan", only_plan="False", **common).execute(self.context())
        event = {
            "chosen_options": ["Approve"],
            "params_input": {},
            "responded_at": datetime.now(UTC),
            "responded_by_user": {"id": "alice", "name": "alice"},
        }
        if self.record.plan.steps:
            approval = flow.ApproveOperator(task_id="approve", response_timeout=timedelta(hours=1), **common)
            approval.execute_complete(self.context(), event)
        return self.record

    def apply(self) -> ChangeRecord:
        operator = flow.ApplyOperator(task_id="apply", change=self.change)
        operator.execute(self.context())
        return self.record

    def prove(self) -> ChangeRecord:
        operator = flow.ProveOperator(task_id="prove", change=self.change)
        operator.execute(self.context())
        return self.record

    @property
    def record(self) -> ChangeRecord:
        run = RunKey(environment="docrag-prod", entry=self.name, run_id="1")
        found = ChangeRecords().find(run, self.change)
        assert found is not None
        return found


def refusal(action: Any) -> str:
    """The text that a task fails with."""
    with pytest.raises(AirflowFailException) as caught:
        action()
    return str(caught.value)


def left_alone(record: ChangeRecord) -> dict[str, str]:
    """Why what was left alone, by setting."""
    return dict(record.plan.protected)
