"""What Airflow tells of failed runs and import errors where no callback is called.

Runs inside the scheduler's loop, the API server and the dag-processor: it takes less than a second, sends nothing, and
never raises.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

if TYPE_CHECKING:
    from airflow.models.dagrun import DagRun

log = logging.getLogger(__name__)

SAME_IMPORT_ERROR_SECONDS = 60.0
_import_errors_seen: dict[str, float] = {}


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:
    """A run failed: by its tasks, by its time limit, or because somebody marked it so."""
    from docrag_ops.core.alarms import failed_run
    from docrag_ops.hooks.links import link_to, minute
    from docrag_ops.notify import keep_within_a_second

    try:
        keep_within_a_second(
            failed_run(
                dag_id=dag_run.dag_id,
                run_id=dag_run.run_id,
                clear_number=dag_run.clear_number,
                at=datetime.now(UTC),
                reason=msg or "",
                started=minute(dag_run.start_date),
                link=link_to(dag_run.dag_id, dag_run.run_id),
            )
        )
    except Exception:
        log.exception("An alarm could be kept nowhere: run %s of %s failed", dag_run.run_id, dag_run.dag_id)


@hookimpl
def on_new_dag_import_error(filename: str, stacktrace: str) -> None:
    """A DAG file does not import."""
    _keep_import_error(filename, stacktrace)


@hookimpl
def on_existing_dag_import_error(filename: str, stacktrace: str) -> None:
    """It still does not, or for another reason; this comes with every parsing."""
    _keep_import_error(filename, stacktrace)


def _keep_import_error(filename: str, stacktrace: str) -> None:
    from docrag_ops.core.alarms import import_error
    from docrag_ops.hooks.links import link_to
    from docrag_ops.notify import keep_within_a_second

    try:
        alarm = import_error(file=filename, stacktrace=stacktrace, at=datetime.now(UTC), link=link_to(""))
        now = time.monotonic()
        if (
            now - _import_errors_seen.get(alarm.file_name, -SAME_IMPORT_ERROR_SECONDS)
            < SAME_IMPORT_ERROR_SECONDS
        ):
            return
        keep_within_a_second(alarm)
        _import_errors_seen[alarm.file_name] = now
    except Exception:
        log.exception("An alarm could be kept nowhere: %s does not import", filename)
