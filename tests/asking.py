"""What a source needs to know to answer, without a task of Airflow's."""

from datetime import UTC, datetime
from typing import Any

from docrag_ops.core.environments import Environment
from docrag_ops.core.runs import RunKey
from docrag_ops.hooks.include import IncludeFolder
from docrag_ops.operators.asking import Asking

NOW = datetime(2026, 7, 1, 9, 0, tzinfo=UTC)


def asking_for(run_id: str, *, environment: Environment | None = None, task_instance: Any = None) -> Asking:
    include = IncludeFolder()
    return Asking(
        environment=environment or include.environment("docrag-prod"),
        include=include,
        run=RunKey(environment="docrag-prod", entry="daily_health_check", run_id=run_id),
        now=NOW,
        task_instance=task_instance,
    )
