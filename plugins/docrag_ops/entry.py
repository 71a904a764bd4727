"""What all entries of the calendar have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param

from docrag_ops.notify import alarm_failed_run

TASK_TIME_LIMIT = timedelta(minutes=10)


def scheduled_entry(**options: Any) -> dict[str, Any]:
    """Keyword arguments for the `DAG` of an entry that changes nothing and runs by itself.

    One run at a time, no catching up, a time limit for every task, one alarm for a failed run, unpaused from the
    start; the environment is a parameter.
    """
    return {
        "catchup": False,
        "max_active_runs": 1,
        "is_paused_upon_creation": False,
        "dagrun_timeout": timedelta(hours=1),
        "default_args": {"execution_timeout": TASK_TIME_LIMIT},
        "on_failure_callback": alarm_failed_run,
        "params": {"environment": environment_param()},
        **options,
    }


def environment_param() -> Param:
    """The form field that says which environment is looked at."""
    return Param(
        "docrag-prod",
        type="string",
        pattern="^[a-z][a-z0-9-]*$",
        title="Environment",
        description_md="The Doc-RAG installation to look at: the name of a file in `include/environments/`, "
        "without `.yaml`.",
    )
