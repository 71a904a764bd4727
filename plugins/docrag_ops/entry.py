"""What all entries of the calendar have in common."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import Param
from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from docrag_ops.core.entries import LATE_AFTER
from docrag_ops.notify import alarm_failed_run, alarm_late_run

TASK_TIME_LIMIT = timedelta(minutes=10)


def scheduled_entry(*, late_after: timedelta | None = LATE_AFTER, **options: Any) -> dict[str, Any]:
    """Keyword arguments for the `DAG` of an entry that changes nothing and runs by itself.

    One run at a time, no catching up, a time limit for every task, one alarm for a failed run and one for a late one,
    unpaused from the start; the environment is a parameter.

    :param late_after: how long after it was due a run that has not ended is late; None: a person waits for it
    """
    return {
        "catchup": False,
        "max_active_runs": 1,
        "is_paused_upon_creation": False,
        "dagrun_timeout": timedelta(hours=1),
        "default_args": {"execution_timeout": TASK_TIME_LIMIT},
        "on_failure_callback": alarm_failed_run,
        "deadline": [late(after=late_after)] if late_after else None,
        "params": {"environment": environment_param()},
        **options,
    }


def late(*, after: timedelta) -> DeadlineAlert:
    """The alarm about a run that has not ended so long after it was due.

    Counted from the due time, not from when it was queued: with DAGRUN_QUEUED_AT Airflow 3.3 answers 500 to
    whoever clears the run (https://github.com/apache/airflow/issues/70368).
    """
    return DeadlineAlert(
        reference=DeadlineReference.DAGRUN_LOGICAL_DATE,
        interval=after,
        callback=AsyncCallback(alarm_late_run),
    )


def changing_entry(**options: Any) -> dict[str, Any]:
    """Keyword arguments for the `DAG` of an entry that runs by itself and changes something within policy.

    As `scheduled_entry`, but it waits for an operator to unpause it.
    """
    changes = {
        "is_paused_upon_creation": True,
        "params": {"environment": environment_param(), "dry_run": dry_run_param(default=False)},
    }
    return scheduled_entry(**{**changes, **options})


def runbook(**options: Any) -> dict[str, Any]:
    """Keyword arguments for the `DAG` of a runbook: triggered by a person, a dry run unless they say otherwise.

    The DAG says `schedule=None` itself, as it is read from the file.
    Several may run at once; what only one may do at a time is applying, per subject.
    """
    by_hand = {
        "max_active_runs": 4,
        "params": {"environment": environment_param(), "dry_run": dry_run_param(default=True)},
    }
    return scheduled_entry(late_after=None, **{**by_hand, **options})


def dry_run_param(*, default: bool) -> Param:
    """The form field that ends a run with its plan."""
    return Param(
        default,
        type="boolean",
        title="Dry run",
        description_md="Only measure and show the plan; change nothing and ask nobody.",
    )


def settle_param() -> Param:
    """The form field that says how long a change may settle before it is proved."""
    text = "How long to wait after the change before it is measured whether anything got worse."
    return _minutes_param(2, most=60, title="Settling time (minutes)", text=text)


def window_param() -> Param:
    """The form field that says how long counters are watched."""
    text = "How long to watch. 0: compare with the last sample that was kept, at once."
    return _minutes_param(10, most=120, title="Window (minutes)", text=text)


def _minutes_param(default: int, *, most: int, title: str, text: str) -> Param:
    return Param(default, type="integer", minimum=0, maximum=most, title=title, description_md=text)


def profile_param() -> Param:
    """The form field that says where proposed settings come from."""
    return Param(
        "measured",
        type="string",
        enum=["measured", "guide"],
        title="Profile",
        description_md="`measured`: what the measurements propose. `guide`: the operators' guide, without what is "
        "dangerous in it.",
    )


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
