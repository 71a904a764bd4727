"""The backup verification in a real Airflow: good backups are green, bad ones red and named."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_daily_health_check import LONG_AGO, broken
from tests.end_to_end.test_daily_log_maintenance import wait_for
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.postgres_servers import SCRATCH, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end

DAG_ID = "daily_backup_verification"
OURS = """
SELECT datname FROM pg_database WHERE datname LIKE 'docrag_drill%'
UNION SELECT rolname FROM pg_roles WHERE rolname LIKE 'docrag_drill%'
"""


@pytest.fixture(scope="module")
def entry(airflow: AirflowClient) -> AirflowClient:
    airflow.wait_for_dag(DAG_ID, parsed_after=LONG_AGO)
    airflow.unpause(DAG_ID)
    return airflow


def run(entry: AirflowClient) -> tuple[str, dict[str, str], set[tuple[str, str]], dict[str, Any]]:
    """The run's state, those of its tasks, the bad checks with their verdict, and the report's result."""
    run_id, state = entry.run(DAG_ID)
    result = entry.find_xcom(DAG_ID, run_id, "report")
    bad = {(one["check"], one["verdict"]) for one in result["findings"] if one["verdict"] != "ok"}
    return state, entry.task_states(DAG_ID, run_id), bad, result


def running_psql(settings: Settings) -> int:
    """The task's process whose psql restores into a scratch database now; 0 when there is none."""
    ours = (b"PGDATABASE=docrag_drill_", b"PGPORT=%d\0" % settings.scratch_port)
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            variables = (folder / "environ").read_bytes()
            if b"psql\0" in (folder / "cmdline").read_bytes() and all(one in variables for one in ours):
                return int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # gone in the meantime
            continue
    return 0


def left_on_scratch(settings: Settings) -> list[str]:
    with superuser(settings, SCRATCH) as session:
        return [name for (name,) in session.execute(OURS).fetchall()]


def test_killed_restore_is_red_and_leaves_nothing(entry, sandbox):
    run_id = entry.trigger(DAG_ID)
    task = wait_for("a restore at work", lambda: running_psql(sandbox))
    os.kill(task, signal.SIGKILL)
    assert entry.wait(DAG_ID, run_id) == "failed"
    states = entry.task_states(DAG_ID, run_id)
    assert (states["restore_backups"], states["sweep_scratch"]) == ("failed", "success")
    assert left_on_scratch(sandbox) == []


def test_good_backups_are_green_also_after_a_kill(entry):
    state, _, bad, result = run(entry)
    assert (state, bad) == ("success", set())
    proven = {one["check"] for one in result["findings"]}
    assert {"backup_whole", "restore_done", "restore_rows", "restore_question", "scratch_left"} <= proven
    assert ("qdrant_restored", "all") in {(one["check"], one["subject"]) for one in result["not_judged"]}


def test_bad_backups_are_red_and_named(entry, sandbox):
    with ExitStack() as stack:
        for fault in ("backup_truncated", "backup_half_table"):
            stack.enter_context(broken(sandbox, fault))
        state, tasks, bad, _ = run(entry)
    assert state == "failed"
    assert {(name, "critical") for name in ("backup_whole", "restore_done", "restore_rows")} <= bad
    assert (tasks["check_backups"], tasks["restore_backups"], tasks["sweep_scratch"]) == (
        "failed",
        "failed",
        "success",
    )
