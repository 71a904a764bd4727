"""A task instance that keeps what is pushed, and a history that can be there or not."""

from types import SimpleNamespace
from typing import Any

import pytest

from docrag_ops.core.errors import UnreachableError


class TaskInstance:
    """As much of a running task instance as operators use."""

    def __init__(self, *, pulled: dict[str, Any] | None = None, states: dict[str, str] | None = None) -> None:
        self.pushed: dict[str, Any] = {}
        self._pulled = pulled or {}
        self._states = states or {}

    def xcom_push(self, *, key: str, value: Any) -> None:
        self.pushed[key] = value

    def xcom_pull(self, *, task_ids: str, key: str) -> Any:
        return self._pulled.get(task_ids)

    def get_task_states(self, *, dag_id: str, task_ids: list[str], run_ids: list[str]) -> Any:
        return {run_ids[0]: {name: state for name, state in self._states.items() if name in task_ids}}


def context_of(task_instance: TaskInstance) -> Any:
    """As much of a task's context as operators use."""
    dag = SimpleNamespace(dag_id="daily_health_check")
    run = SimpleNamespace(run_type="manual")
    params = {"environment": "docrag-prod"}
    return {"ti": task_instance, "dag": dag, "dag_run": run, "run_id": "manual__1", "params": params}


class LostHistory:
    """The history database is down."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_: object, **__: object) -> None:
            raise UnreachableError("The history database (docrag_history) cannot be used: connection refused")

        return refuse


@pytest.fixture
def history_down(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("hooks.history", "operators.sources.database"):
        monkeypatch.setattr(f"docrag_ops.{module}.HistoryHook", LostHistory)
