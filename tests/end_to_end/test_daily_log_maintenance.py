"""The log maintenance in a real Airflow: who may approve, and what a dry run and a refusal leave."""

from __future__ import annotations

import gzip
import os
import random
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import approving
from tests.sandbox import airflow_services, log_files
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end

DAG_ID, APPROVES = "daily_log_maintenance", "approve_cleanup"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
BIG_BYTES = 80 * 2**20
DAY_SECONDS = 86400
SLOW = random.Random(1).randbytes(120 * 2**20)
"""What takes gzip some seconds: time to kill who waits for it."""
PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def entry(airflow: AirflowClient, sandbox: Settings) -> AirflowClient:
    """The entry, unpaused, over logs without the errors that the tests of faults leave for a day."""
    for log in api_logs(sandbox):
        log.write_text("")
    wait_for("new lines of every API pod", lambda: all(log.stat().st_size for log in api_logs(sandbox)))
    airflow.wait_for_dag(DAG_ID, parsed_after=LONG_AGO)
    airflow.unpause(DAG_ID)
    return airflow


def api_logs(sandbox: Settings) -> list[Path]:
    return sorted(sandbox.pods_dir.glob("doc-rag-prod/api-*/logs/api.log"))


@pytest.fixture
def logs(sandbox: Settings) -> Path:
    """Log folders as at `up`, and in the first pod one old rotation that is most of all bytes: a person is asked."""
    folders = log_files.pod_folders(sandbox)
    for number, folder in enumerate(folders):
        log_files.build(folder, seed=number)
    big = folders[0] / "big"
    big.mkdir(parents=True, exist_ok=True)
    for name, content, age_days in (
        ("big.log.1", b"x" * 10_000, 19),
        ("big.log.2", b"x" * BIG_BYTES, 20),
        ("slow.log.1", b"x" * 10_000, 2),
        ("slow.log.2", SLOW, 3),
    ):
        (big / name).write_bytes(content)
        old = time.time() - age_days * DAY_SECONDS
        os.utime(big / name, (old, old))
    return big


def wait_for(what: str, found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(0.3)
    raise AssertionError(f"Waited {PATIENCE_SECONDS} s in vain for {what}")


def start_and_wait_for_the_question(entry: AirflowClient) -> str:
    run_id = entry.trigger(DAG_ID)
    approving.wait_for_question(entry, DAG_ID, run_id, APPROVES)
    return run_id


def answer(client: AirflowClient, run_id: str, option: str) -> None:
    approving.answer(client, DAG_ID, run_id, APPROVES, option)


def report_of(entry: AirflowClient, run_id: str) -> str:
    return "\n".join(entry.log_events(DAG_ID, run_id, "report"))


def test_dry_run_ends_with_its_plan(entry, logs):
    run_id, state = entry.run(DAG_ID, {"dry_run": True})
    assert state == "success"
    assert entry.task_states(DAG_ID, run_id)["apply_cleanup"] == "skipped"
    assert "Nothing was changed: this was a dry run" in report_of(entry, run_id)
    assert (logs / "big.log.2").exists()


def test_viewer_may_not_approve_and_a_rejection_changes_nothing(entry, sandbox, logs):
    run_id = start_and_wait_for_the_question(entry)
    with pytest.raises(SandboxError, match="403"):
        answer(airflow_services.connect(sandbox, "viewer"), run_id, "Approve")
    answer(airflow_services.connect(sandbox, "op"), run_id, "Reject")
    assert entry.wait(DAG_ID, run_id) == "success"
    assert "Nothing was changed: rejected by op" in report_of(entry, run_id)
    assert (logs / "big.log.2").exists()


def apply_task(entry: AirflowClient, run_id: str) -> dict[str, Any]:
    path = f"/api/v2/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/apply_cleanup"
    task: dict[str, Any] = entry.call("GET", path)
    return task


def clear_apply(entry: AirflowClient, run_id: str) -> None:
    """As a person does it in the grid: the task that applies, and what comes after it."""
    asked = {"dag_run_id": run_id, "task_ids": ["apply_cleanup"], "include_downstream": True}
    entry.call("POST", f"/api/v2/dags/{DAG_ID}/clearTaskInstances", json={**asked, "dry_run": False})


def test_clean_up_that_is_killed_half_way_is_finished_when_cleared_and_nothing_is_done_twice(
    entry, sandbox, logs
):
    run_id = start_and_wait_for_the_question(entry)
    answer(airflow_services.connect(sandbox, "op"), run_id, "Approve")
    wait_for("gzip at work", lambda: list(logs.glob("slow.log.2*.gz")))
    os.kill(apply_task(entry, run_id)["pid"], signal.SIGKILL)
    assert entry.wait(DAG_ID, run_id) == "failed"
    clear_apply(entry, run_id)
    wait_for("the end of the cleared run", lambda: entry.state(DAG_ID, run_id) == "success")
    assert gzip.decompress((logs / "slow.log.2.gz").read_bytes()) == SLOW
    assert sorted(path.name for path in logs.iterdir()) == ["big.log.1", "slow.log.1", "slow.log.2.gz"]


def test_files_of_a_pod_that_was_just_cleaned_wait_for_the_cooldown(entry, sandbox, logs):
    run_id = start_and_wait_for_the_question(entry)
    answer(airflow_services.connect(sandbox, "op"), run_id, "Approve")
    assert entry.wait(DAG_ID, run_id) == "failed"
    assert "may be changed again from" in "\n".join(entry.log_events(DAG_ID, run_id, "apply_cleanup"))
    assert (logs / "big.log.2").exists()
