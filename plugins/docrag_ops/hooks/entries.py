"""What Airflow knows of the calendar's entries.

Tasks cannot touch the metadata database; the task's own API client answers whether a DAG is paused and when it is
due (Airflow 3.3's `GetDag`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from docrag_ops.core.entries import EntryState
from docrag_ops.core.errors import CouldNotMeasureError

HTTP_NOT_FOUND = 404
DAGS = Path(__file__).resolve().parents[3] / "dags"


class AsksForDags(Protocol):
    """The part of a running task instance that is used."""

    def get_dag(self, dag_id: str) -> Any:
        """Airflow's answer about one DAG, with `is_paused` and `next_dagrun`."""


def entry_names(folder: Path = DAGS) -> list[str]:
    """The calendar's dag ids: one entry per file, the file's name is the dag id."""
    return sorted(path.stem for path in folder.glob("*.py"))


def entry_states(task_instance: AsksForDags, names: list[str]) -> list[EntryState]:
    """What Airflow knows of each entry; an entry without a DAG is not known."""
    from airflow.sdk.exceptions import AirflowRuntimeError

    states = []
    for name in names:
        try:
            dag = task_instance.get_dag(name)
        except AirflowRuntimeError as error:
            if (error.error.detail or {}).get("status_code") != HTTP_NOT_FOUND:
                raise CouldNotMeasureError(
                    f"Airflow does not answer whether {name!r} is paused: {error}"
                ) from error
            states.append(EntryState(name=name, known=False))
        else:
            states.append(
                EntryState(name=name, known=True, paused=dag.is_paused, next_run_at=dag.next_dagrun)
            )
    return states
