"""The daily health check in a real Airflow: healthy is green, every fault is red and named, and nothing else is.

The order in faults.yaml is kept: the last faults leave traces in windows of minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from docrag_ops.hooks.entries import entry_names
from docrag_ops.hooks.include import IncludeFolder
from tests.counts import COUNTS
from tests.end_to_end.history import history_of
from tests.sandbox import lifecycle
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.faults import registry
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end

DAG_ID = "daily_health_check"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAULTS: dict[str, dict[str, str]] = yaml.safe_load((Path(__file__).parent / "faults.yaml").read_text())
FAILS = {"critical", "unknown"}


@pytest.fixture(scope="module")
def calendar(airflow: AirflowClient, sandbox: Settings) -> AirflowClient:
    """Airflow with the DAG parsed, a week of table sizes in history, and the baseline of a first run."""
    for entry in entry_names():  # as an operator does: a paused one is a finding
        airflow.wait_for_dag(entry, parsed_after=LONG_AGO)
        airflow.unpause(entry)
    with history_of(sandbox) as history:
        history.execute("TRUNCATE measurements, findings, reports, statements")
    first = run(airflow)
    remember_a_week(sandbox)
    assert not bad_findings(first), bad_findings(first)
    return airflow


def run(airflow: AirflowClient) -> dict[str, Any]:
    """Trigger a run, wait for its end: the report's result, with the run's state and id."""
    run_id, state = airflow.run(DAG_ID)
    result = airflow.find_xcom(DAG_ID, run_id, "report")
    return {**result, "state": state, "run_id": run_id}


def bad_findings(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (finding["check"], finding["verdict"], finding["subject"])
        for finding in result["findings"]
        if finding["verdict"] != "ok"
    ]


def remember_a_week(sandbox: Settings) -> None:
    """Copy what the first run measured to the eight days before, as daily runs would have left it."""
    with history_of(sandbox) as history:
        history.execute(
            "INSERT INTO measurements (environment, entry, run_id, area, check_name, subject, measured_at, value,"
            " numerator, denominator, unit, epoch, verdict)"
            " SELECT environment, entry, 'day -' || day, area, check_name, subject,"
            " measured_at - make_interval(days => day),"
            " value, numerator, denominator, unit, epoch, verdict FROM measurements, generate_series(1, 8) AS day"
        )


@contextmanager
def broken(sandbox: Settings, fault: str) -> Iterator[None]:
    with lifecycle.lock(sandbox):
        registry.turn_on(sandbox, fault)
    try:
        yield
    finally:
        with lifecycle.lock(sandbox):
            registry.turn_off(sandbox, fault)


def may_follow(check_name: str, other: str) -> bool:
    """Whether the record of a check lists another finding as following from it."""
    areas = IncludeFolder().all_checks()
    by_name = {check.name: (check, area) for area, checks in areas.items() for check in checks}
    if check_name == "history_recorded":  # no record: whatever compares with earlier runs follows
        check, _ = by_name.get(other, (None, ""))
        return (
            other == check_name
            or (check is not None and check.reading != "value")
            or other in ("postgres_statements_kept", "alarm_undelivered")
        )
    check, _ = by_name[check_name]
    return other in by_name and check.may_cause(other, by_name[other][1])


def test_the_healthy_platform_is_green(calendar):
    result = run(calendar)
    assert (result["state"], bad_findings(result)) == ("success", [])
    COUNTS["healthy platform: end-to-end runs that are green"] += 1


@pytest.mark.parametrize("fault", FAULTS)
def test_the_fault_is_found_and_named(calendar, sandbox, fault):
    expected = FAULTS[fault]
    with broken(sandbox, fault):
        result = run(calendar)
    bad = bad_findings(result)
    assert (expected["check"], expected["verdict"]) in [(check, verdict) for check, verdict, _ in bad]
    assert result["state"] == ("failed" if expected["verdict"] in FAILS else "success")
    assert [one for one in bad if not may_follow(expected["check"], one[0])] == []
    if "afterwards" in expected:
        assert {check for check, _, _ in bad_findings(run(calendar))} == {expected["afterwards"]}
    COUNTS["faults of the sandbox: end-to-end runs that found and named them"] += 1


def test_findings_are_in_the_log_while_nothing_can_be_recorded(calendar, sandbox):
    with broken(sandbox, "history_down"):
        result = run(calendar)
    log = "\n".join(calendar.log_events(DAG_ID, result["run_id"], "report"))
    assert "nothing was recorded" in log
    assert "service_health" in log


def test_second_run_waits_for_the_first(calendar):
    first, second = calendar.trigger(DAG_ID), calendar.trigger(DAG_ID)
    assert [calendar.wait(DAG_ID, run_id) for run_id in (first, second)] == ["success", "success"]
    one, other = (
        calendar.call("GET", f"/api/v2/dags/{DAG_ID}/dagRuns/{run_id}") for run_id in (first, second)
    )
    assert other["start_date"] >= one["end_date"]


def test_the_mended_platform_is_green_again(calendar):
    """But for the share of errors and the latency, whose windows of 15 minutes still hold the last faults."""
    result = run(calendar)
    bad = [one for one in bad_findings(result) if one[0] not in ("traffic_error_ratio", "traffic_p95")]
    assert bad == []
    COUNTS["healthy platform: end-to-end runs that are green"] += 1
