"""`make demo`: the platform in miniature, Airflow, and the daily entries run for real.

`python -m tests.sandbox.demo [down]`. Leaves everything up for a person to look at; `down` (`make down`)
stops all of it. Every step works on top of what an earlier, half-done start left.
"""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

from tests.sandbox import airflow_services, airflow_settings, lifecycle
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.connections import connections
from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import REPOSITORY, Settings, load_settings

DAILY = (
    "daily_health_check",
    "daily_log_maintenance",
    "daily_security_check",
    "daily_backup_verification",
    "daily_success_metrics",
)
"""The entries of the calendar that `make demo` runs, in this order."""
EXPECTED_STATE = "success"
VERDICTS = ("critical", "unknown", "warning", "ok")
WIDTHS = (30, 12, 12, 10, 10, 10, 6, 12)


def up(settings: Settings) -> int:
    """Start all, run the daily entries and show what they found: 0 when each ended as expected."""
    began = time.monotonic()
    client = start(settings)
    print(f"Everything is up after {time.monotonic() - began:.0f} s.")
    unexpected = [dag_id for dag_id in DAILY if show_run(client, dag_id) != EXPECTED_STATE]
    show_where_to_look(settings)
    if unexpected:
        print(f"\nNot as expected: {', '.join(unexpected)} did not end in {EXPECTED_STATE!r}; see above.")
    return len(unexpected)


def start(settings: Settings) -> AirflowClient:
    """The platform, the history's tables and Airflow; returns the administrator's client."""
    lifecycle.up(settings)
    migrate_history(settings)
    client = airflow_services.up(settings)
    wait_for_entries(client)
    return client


def down(settings: Settings) -> int:
    """Stop Airflow, then the platform; fine when nothing runs."""
    print("Airflow is stopped" if airflow_services.down(settings) else "Airflow did not run")
    lifecycle.down(settings)
    return 0


def migrate_history(settings: Settings) -> None:
    """Bring the history's tables up to date, as docker-compose.yaml's init does."""
    airflow_services.forget_foreign_settings()
    variables = {
        **os.environ,
        **airflow_settings.environment(settings),
        "PYTHONPATH": str(REPOSITORY / "plugins"),
        "AIRFLOW_CONN_DOCRAG_HISTORY": airflow_settings.connection_variable(
            connections(settings)["docrag_history"]
        ),
    }
    command = [sys.executable, "-m", "docrag_ops.migrate", "upgrade"]
    done = subprocess.run(command, env=variables, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SandboxError(f"The history's migrations failed:\n{(done.stdout + done.stderr)[-3000:]}")


def wait_for_entries(client: AirflowClient) -> None:
    """Until Airflow has read every file in dags/ as it is now: the health check asks about all entries."""
    for path in sorted((REPOSITORY / "dags").glob("*.py")):
        client.wait_for_dag(path.stem, parsed_after=datetime.fromtimestamp(path.stat().st_mtime, UTC))


def show_run(client: AirflowClient, dag_id: str) -> str:
    """Run an entry, print its verdicts and its report, and return the state the run ended in."""
    client.unpause(dag_id)
    began = time.monotonic()
    run_id, state = client.run(dag_id)
    print(f"\n{dag_id}: {state} after {time.monotonic() - began:.1f} s ({run_id})\n")
    show_verdicts(client, dag_id, run_id)
    print(written_report(client, dag_id, run_id))
    return state


def show_verdicts(client: AirflowClient, dag_id: str, run_id: str) -> None:
    """A table: what each task found, and the whole run's result in the line of `report`."""
    rows = [("task", "state", "verdict", *VERDICTS, "not judged")]
    for task, state in sorted(client.task_states(dag_id, run_id).items()):
        result = client.find_xcom(dag_id, run_id, task) or {"findings": [], "not_judged": []}
        found = [finding["verdict"] for finding in result["findings"]]
        worst = next((verdict for verdict in VERDICTS if verdict in found), "-")
        counts = [str(found.count(verdict)) for verdict in VERDICTS]
        rows.append((task, state, worst, *counts, str(len(result["not_judged"]))))
    for row in rows:
        print("  " + "".join(f"{cell:<{width}}" for cell, width in zip(row, WIDTHS, strict=True)).rstrip())


def written_report(client: AirflowClient, dag_id: str, run_id: str) -> str:
    """The report as the log of the task `report` shows it to an operator."""
    events = client.log_events(dag_id, run_id, "report")
    for event in events:
        if event.startswith("\n"):
            return event
    raise SandboxError(f"The report of {dag_id} was not written; its task says:\n" + "\n".join(events[-5:]))


def show_where_to_look(settings: Settings) -> None:
    url = airflow_settings.base_url(settings)
    users = airflow_settings.user_passwords(settings)
    print(f"\nAirflow          {url}")
    for user, role in airflow_settings.USERS.items():
        print(f"  log in as      {user} / {users[user]}  (role {role})")
    for dag_id in DAILY:
        print(f"  runs           {url}/dags/{dag_id}")
    print(f"Platform         .venv/bin/python -m tests.sandbox status; logs in {settings.log_dir}")
    print(f"Cluster          kubectl --kubeconfig {settings.state_dir}/kubeconfig get pods -n doc-rag-prod")
    print("Break something  .venv/bin/python -m tests.sandbox fault api_down   (undo: fault api_down off)")
    print("Stop everything  make down")


if __name__ == "__main__":
    try:
        sys.exit((down if sys.argv[1:] == ["down"] else up)(load_settings()))
    except SandboxError as error:
        sys.exit(f"error: {error}")
