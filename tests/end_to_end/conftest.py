"""The calendar's own hours must not strike in the middle of a test: an entry runs one at a time."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.end_to_end.history import history_of
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.settings import Settings

AHEAD = timedelta(minutes=4)
FORGET = (
    "DELETE FROM change_steps WHERE change_id IN (SELECT id FROM changes WHERE run_id LIKE 'scheduled%')",
    "DELETE FROM changes WHERE run_id LIKE 'scheduled%'",
)


@pytest.fixture(autouse=True)
def alone(request: pytest.FixtureRequest) -> None:
    """No scheduled run of the module's DAG_ID, now or within the next minutes, and no cooldown after one."""
    dag_id = getattr(request.module, "DAG_ID", "")
    if dag_id and "airflow" in request.fixturenames:
        airflow: AirflowClient = request.getfixturevalue("airflow")
        wait_until_past_due(airflow, dag_id)
        if end_scheduled_runs(airflow, dag_id):
            forget_changes(request.getfixturevalue("sandbox"))


def wait_until_past_due(airflow: AirflowClient, dag_id: str) -> None:
    """Until the next scheduled run is some minutes away; one that is due at this moment is started first."""
    until = time.monotonic() + 2 * AHEAD.total_seconds()
    while time.monotonic() < until:
        dag = airflow.call("GET", f"/api/v2/dags/{dag_id}")
        due = dag["next_dagrun_run_after"]
        if dag["is_paused"] or due is None or datetime.fromisoformat(due) > datetime.now(UTC) + AHEAD:
            return
        time.sleep(1)


def end_scheduled_runs(airflow: AirflowClient, dag_id: str) -> bool:
    """Mark them done, as a person may in the grid; says whether there ever was one: it may have changed something."""
    where = f"/api/v2/dags/{dag_id}/dagRuns"
    runs = airflow.call("GET", f"{where}?run_type=scheduled&limit=100")["dag_runs"]
    for run in runs:
        if run["state"] in ("queued", "running"):
            airflow.call("PATCH", f"{where}/{run['dag_run_id']}", json={"state": "success"})
    return bool(runs)


def forget_changes(sandbox: Settings) -> None:
    with history_of(sandbox) as history:
        for statement in FORGET:
            history.execute(statement)
