"""dag_run: what a run of daily_health_check takes, against a DAG with the same tasks and edges that do nothing.

Wall time from queueing to end as Airflow recorded it, in one Airflow with warm workers.
"""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.figures import Figure, compare
from tests.bench.platform import running_sandbox
from tests.sandbox import airflow_services
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.errors import SandboxError
from tests.sandbox.for_tests import quietly

NAME, GOAL = "dag_run", 1.5
ROUNDS, WARM_UPS = 5, 2
ROOT = Path(__file__).parents[2]
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ENTRY, IDLE = "daily_health_check", "does_nothing"

IDLE_DAG = '''"""The tasks and edges of {entry}, doing nothing (airflow)."""
import json

from airflow.sdk import DAG, BaseOperator


class Nothing(BaseOperator):
    def execute(self, context):
        return None


with DAG("{idle}", schedule=None, is_paused_upon_creation=False):
    edges = json.loads({edges!r})
    tasks = {{name: Nothing(task_id=name) for name in edges}}
    for name, downstream in edges.items():
        for other in downstream:
            tasks[name] >> tasks[other]
'''


def measure() -> Figure:
    with running_sandbox() as settings:
        folder = settings.state_dir / "bench-dags"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "dags", folder)
        client = airflow_services.up(settings, quietly, dags_folder=folder)
        for path in (ROOT / "dags").glob("*.py"):
            client.wait_for_dag(path.stem, parsed_after=LONG_AGO)
        written_at = datetime.now(UTC)  # an earlier bench may have left Airflow a DAG of this name
        write_idle_twin(client, folder)
        client.wait_for_dag(IDLE, parsed_after=written_at)
        for _ in range(WARM_UPS):
            seconds(client, ENTRY), seconds(client, IDLE)
        return compare(
            NAME,
            GOAL,
            ours=lambda: seconds(client, ENTRY),
            theirs=lambda: seconds(client, IDLE),
            rounds=ROUNDS,
            unit="seconds",
        )


def write_idle_twin(client: AirflowClient, folder: Path) -> None:
    tasks = client.call("GET", f"/api/v2/dags/{ENTRY}/tasks")["tasks"]
    edges = json.dumps({task["task_id"]: sorted(task["downstream_task_ids"]) for task in tasks})
    (folder / f"{IDLE}.py").write_text(IDLE_DAG.format(entry=ENTRY, idle=IDLE, edges=edges))


def seconds(client: AirflowClient, dag_id: str) -> float:
    run_id, state = client.run(dag_id)
    if state != "success":
        raise SandboxError(
            f"{dag_id} ended in {state}: {client.task_states(dag_id, run_id)}; nothing to compare"
        )
    run = client.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")
    return (
        datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["queued_at"])
    ).total_seconds()
