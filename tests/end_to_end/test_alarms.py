"""Every failure is heard, once: each cause is really caused, in a real Airflow, with a real receiver of messages.

The seconds from cause to message are printed at the end. Where no callback runs, or none can send, the
message comes with the next run of `deliver_alarms`, which these tests start instead of waiting for its five minutes.
"""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.counts import COUNTS
from tests.end_to_end.history import history_of
from tests.end_to_end.messages import Messages, wait_for
from tests.sandbox import airflow_services, lifecycle, processes
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.faults import registry
from tests.sandbox.for_tests import more_dags, quietly
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end
CAUSES = Path(__file__).parent / "dags" / "alarm_causes.py"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ENTRIES = ("alarm_raises", "alarm_raises_later", "alarm_hangs", "alarm_hangs_late", "alarm_times_out")
TASK = "wait_and_raise"
LATE_AFTER_SECONDS = 30
TIMES_OUT_AFTER_SECONDS = 4


@pytest.fixture(scope="module")
def entries(airflow: AirflowClient, sandbox: Settings) -> Iterator[AirflowClient]:
    """Airflow with the entries that fail; none is left at the end, and no import error."""
    folder = more_dags(sandbox)
    copied_at = datetime.now(UTC)
    shutil.copy(CAUSES, folder)
    airflow.wait_for_dag("deliver_alarms", parsed_after=LONG_AGO)
    for name in ENTRIES:
        airflow.wait_for_dag(name, parsed_after=copied_at)
    yield airflow
    for path in folder.glob("*.py"):
        path.unlink()


@pytest.fixture(scope="module")
def messages(sandbox: Settings) -> Iterator[Messages]:
    messages = Messages(sandbox)
    yield messages
    for cause, seconds in messages.seconds.items():
        COUNTS[f"seconds from cause to message: {cause}"] = round(seconds)


@contextmanager
def broken(sandbox: Settings, *faults: str) -> Iterator[None]:
    with lifecycle.lock(sandbox):
        for fault in faults:
            registry.turn_on(sandbox, fault)
    try:
        yield
    finally:
        with lifecycle.lock(sandbox):
            for fault in faults:
                registry.turn_off(sandbox, fault)


def trigger(airflow: AirflowClient, dag_id: str) -> str:
    """A run that is due now, as the scheduler makes it: the deadline counts from there."""
    body = {"logical_date": datetime.now(UTC).isoformat()}
    run_id: str = airflow.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body)["dag_run_id"]
    return run_id


def running(airflow: AirflowClient, dag_id: str) -> tuple[str, dict[str, Any]]:
    """A new run whose task runs: its id, and the task."""
    run_id = trigger(airflow, dag_id)
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{TASK}"

    def task() -> Any:
        found = airflow.call("GET", path)
        return found if found["state"] == "running" and found["pid"] else None

    return run_id, wait_for(task, f"the task of {dag_id}")


def deliver(airflow: AirflowClient, expected: str = "success", **conf: Any) -> str:
    run_id, state = airflow.run("deliver_alarms", conf)
    assert state == expected, airflow.log_events("deliver_alarms", run_id, "deliver_kept_alarms")
    return run_id


def tried(sandbox: Settings, run_ids: list[str]) -> int:
    """How many of these runs' alarms somebody has tried to send in vain."""
    with history_of(sandbox) as history:
        query = "SELECT count(*) FROM alarms WHERE run_id = ANY(%s) AND last_error <> ''"
        (count,) = history.execute(query, [run_ids]).fetchone()
    return count


def told_once(airflow: AirflowClient, messages: Messages, run_id: str) -> None:
    """Whatever is tried now, nobody is told a second time."""
    deliver(airflow)
    assert len(messages.about(run_id)) == 1


def test_task_that_raises_is_told_once_with_all_that_an_operator_needs(entries, messages):
    caused = time.time()
    run_id = entries.trigger("alarm_raises")
    body = messages.arrived("a task raised", run_id.replace(":", "%3A").replace("+", "%2B"), caused)
    assert body["title"] == "alarm_raises failed: a task failed"
    assert f"{TASK} ended failed" in body["message"]
    assert "Runbook: docs/runbooks.md#a-run-failed-without-findings" in body["message"]
    told_once(entries, messages, address_part(run_id))


def address_part(run_id: str) -> str:
    """A run's id as it is in its address."""
    return run_id.replace(":", "%3A").replace("+", "%2B")


def test_killed_task_process_is_told(entries, messages):
    run_id, task = running(entries, "alarm_hangs")
    caused = time.time()
    os.kill(task["pid"], signal.SIGKILL)
    body = messages.arrived("kill -9 of a task's process", address_part(run_id), caused)
    assert f"{TASK} ended failed" in body["message"]


def test_task_marked_failed_is_told(entries, messages):
    run_id, _ = running(entries, "alarm_hangs")
    caused = time.time()
    path = f"/api/v2/dags/alarm_hangs/dagRuns/{run_id}/taskInstances/{TASK}"
    entries.call("PATCH", path, json={"new_state": "failed"})
    messages.arrived("a task marked failed", address_part(run_id), caused)


def test_run_marked_failed_is_told_by_deliver_alarms(entries, messages):
    run_id, _ = running(entries, "alarm_hangs")
    caused = time.time()
    entries.call("PATCH", f"/api/v2/dags/alarm_hangs/dagRuns/{run_id}", json={"state": "failed"})
    deliver(entries)
    body = messages.arrived("the run marked failed", address_part(run_id), caused)
    assert "somebody marked the run failed" in body["title"]
    told_once(entries, messages, address_part(run_id))


def test_run_out_of_time_is_told(entries, messages):
    caused = time.time() + TIMES_OUT_AFTER_SECONDS
    run_id = entries.trigger("alarm_times_out")
    body = messages.arrived("dagrun_timeout", address_part(run_id), caused)
    assert "took longer than it may" in body["title"]
    assert f"{TASK} ended skipped" in body["message"]


def test_late_run_is_told_while_it_runs(entries, messages):
    due = time.time()
    run_id, _ = running(entries, "alarm_hangs_late")
    body = messages.arrived("a deadline missed", address_part(run_id), due + LATE_AFTER_SECONDS)
    assert body["title"].startswith("alarm_hangs_late is late")
    assert f"{TASK} is running" in body["message"]
    entries.call("PATCH", f"/api/v2/dags/alarm_hangs_late/dagRuns/{run_id}", json={"state": "success"})


def test_run_that_failed_before_its_deadline_is_not_late(entries, messages):
    """Airflow calls back all the same: deadlines are dropped on success alone."""
    due = time.time()
    run_id, _ = running(entries, "alarm_hangs_late")
    entries.call("PATCH", f"/api/v2/dags/alarm_hangs_late/dagRuns/{run_id}", json={"state": "failed"})
    time.sleep(max(0.0, due + LATE_AFTER_SECONDS + 10 - time.time()))
    deliver(entries)
    titles = [one["body"]["title"] for one in messages.about(address_part(run_id))]
    assert [title.partition(":")[0] for title in titles] == ["alarm_hangs_late failed"]


def test_import_error_is_told_once(entries, messages, sandbox):
    file = more_dags(sandbox) / "broken_airflow_dag.py"
    caused = time.time()
    name = f"nowhere_{caused:.0f}"  # the same error within an hour is the same alarm
    file.write_text(f"from airflow.sdk import DAG\n\n{name}\n")
    try:
        wait_for(entries.import_errors, "the import error")
        deliver(entries)
        body = messages.arrived("a file that does not import", name, caused)
        assert body["title"] == f"A DAG file no longer imports: {file}"
        assert f"NameError: name '{name}' is not defined" in body["message"]
        told_once(entries, messages, name)
    finally:
        file.unlink()
    wait_for(lambda: entries.import_errors() == {}, "the import error to go")


def test_cleared_run_that_fails_again_is_told_again(entries, messages):
    run_id = trigger(entries, "alarm_raises")
    entries.wait("alarm_raises", run_id)
    messages.arrived("a task raised (before it is cleared)", address_part(run_id), time.time())
    entries.call("POST", f"/api/v2/dags/alarm_raises/dagRuns/{run_id}/clear", json={"dry_run": False})
    wait_for(lambda: len(messages.about(address_part(run_id))) == 2, "the second message")


def test_receiver_that_is_down_for_a_while_gets_every_message_once(entries, messages, sandbox):
    with broken(sandbox, "alarm_receiver_down"):
        caused = time.time()
        run_ids = [entries.run("alarm_raises")[0] for _ in range(2)]
        wait_for(lambda: tried(sandbox, run_ids) == 2, "both callbacks to have tried in vain")
        deliver(entries, "failed")
    deliver(entries)
    for run_id in run_ids:
        messages.arrived("the receiver was down", address_part(run_id), caused)
        told_once(entries, messages, address_part(run_id))


def test_history_that_is_down_delays_nothing_and_loses_nothing(entries, messages, sandbox):
    with broken(sandbox, "history_down"):
        caused = time.time()
        run_id = entries.trigger("alarm_raises")
        messages.arrived("the history was down", address_part(run_id), caused)
        entries.wait("alarm_raises", run_id)
    told_once(entries, messages, address_part(run_id))


def test_run_marked_failed_is_told_while_the_history_is_down(entries, messages, sandbox):
    """No callback runs: `deliver_alarms` sends what the API server's listener kept in a file, and is red."""
    with broken(sandbox, "history_down"):
        run_id, _ = running(entries, "alarm_hangs")
        caused = time.time()
        entries.call("PATCH", f"/api/v2/dags/alarm_hangs/dagRuns/{run_id}", json={"state": "failed"})
        deliver(entries, "failed")
        messages.arrived("the run marked failed, the history down", address_part(run_id), caused)
    told_once(entries, messages, address_part(run_id))


def test_history_and_receiver_that_are_both_down_lose_nothing(entries, messages, sandbox):
    with broken(sandbox, "history_down", "alarm_receiver_down"):
        caused = time.time()
        failed, _ = entries.run("alarm_raises")
        marked, _ = running(entries, "alarm_hangs")
        entries.call("PATCH", f"/api/v2/dags/alarm_hangs/dagRuns/{marked}", json={"state": "failed"})
        time.sleep(3)
    deliver(entries)
    for run_id in (failed, marked):
        messages.arrived("the history and the receiver were down", address_part(run_id), caused)
        told_once(entries, messages, address_part(run_id))


def test_scheduler_that_is_killed_loses_nothing(entries, messages, sandbox):
    """Its task goes on and fails while there is no scheduler; the next one finds the run failed."""
    run_id, _ = running(entries, "alarm_raises_later")
    os.kill(processes.find(sandbox, "airflow-scheduler").pid, signal.SIGKILL)
    wait_for(
        lambda: entries.task_states("alarm_raises_later", run_id) == {TASK: "failed"}, "the task to fail"
    )
    assert entries.state("alarm_raises_later", run_id) == "running"
    caused = time.time()
    airflow_services.up(sandbox, quietly, more_dags=more_dags(sandbox))
    messages.arrived("the scheduler was killed, and is started", address_part(run_id), caused)
    told_once(entries, messages, address_part(run_id))


def test_test_alarm_of_an_operator_arrives(entries, messages):
    caused = time.time()
    deliver(entries, send_test=True)
    body = messages.arrived("a test alarm", "Test alarm", caused)
    assert "admin asked for this message" in body["message"]
