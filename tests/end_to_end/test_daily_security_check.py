"""The daily security check in a real Airflow: healthy is green, a fault of each area is red and named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from docrag_ops.hooks.include import IncludeFolder
from tests.counts import COUNTS
from tests.sandbox import lifecycle
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.faults import registry

pytestmark = pytest.mark.end_to_end

DAG_ID = "daily_security_check"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# fault: (task that is red, check that names it, verdict); every other bad finding has to be one of the check's `causes`
FAULTS = {
    "certificate_not_reloaded": ("check_certificates", "tls_not_the_issued", "critical"),
    "scan_report_missing": ("check_scans", "scan_report_age", "unknown"),
    "auth_failures": ("check_access", "access_source_failures", "critical"),
}


@pytest.fixture(scope="module")
def entry(airflow: AirflowClient) -> AirflowClient:
    airflow.wait_for_dag(DAG_ID, parsed_after=LONG_AGO)
    airflow.unpause(DAG_ID)
    return airflow


def run(entry: AirflowClient) -> dict[str, Any]:
    """Trigger a run, wait for its end: state, states of its tasks, and what its report found bad."""
    run_id, state = entry.run(DAG_ID)
    result = entry.find_xcom(DAG_ID, run_id, "report")
    bad = [(one["check"], one["verdict"]) for one in result["findings"] if one["verdict"] != "ok"]
    return {"state": state, "tasks": entry.task_states(DAG_ID, run_id), "bad": bad}


def test_the_healthy_platform_is_green(entry):
    result = run(entry)
    assert (result["state"], result["bad"]) == ("success", [])
    assert set(result["tasks"].values()) == {"success"}
    COUNTS["healthy platform: end-to-end runs that are green"] += 1


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_found_and_named(entry, sandbox, fault):
    task, check, verdict = FAULTS[fault]
    with lifecycle.lock(sandbox):
        registry.turn_on(sandbox, fault)
    try:
        result = run(entry)
    finally:
        with lifecycle.lock(sandbox):
            registry.turn_off(sandbox, fault)
    assert (check, verdict) in result["bad"]
    red = {name for name, state in result["tasks"].items() if state == "failed"}
    assert (result["state"], red) == ("failed", {task, "report"})
    by_name = {one.name: (one, area) for area, all_ in IncludeFolder().all_checks().items() for one in all_}
    named, _ = by_name[check]
    assert [other for other, _ in result["bad"] if not named.may_cause(other, by_name[other][1])] == []
    COUNTS["faults of the sandbox: end-to-end runs that found and named them"] += 1
