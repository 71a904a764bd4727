"""The success metrics in a real Airflow: green on the healthy platform with what its past holds, unknown without it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.test_daily_health_check import LONG_AGO, broken, history_of
from tests.end_to_end.test_daily_log_maintenance import wait_for
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end

DAG_ID = "daily_success_metrics"


@pytest.fixture(scope="module")
def entry(airflow: AirflowClient, sandbox: Settings) -> AirflowClient:
    """Airflow with a history that begins now: what earlier sessions left is not this one's."""
    airflow.wait_for_dag(DAG_ID, parsed_after=LONG_AGO)
    airflow.unpause(DAG_ID)
    with history_of(sandbox) as history:
        history.execute("TRUNCATE reports, findings, service_hours, capacity_days")
    return airflow


@pytest.fixture(scope="module")
def healthy(entry: AirflowClient) -> dict[str, Any]:
    """A run on the healthy platform: the report's result, with the run's state and id."""
    run_id, state = entry.run(DAG_ID)
    return {**entry.find_xcom(DAG_ID, run_id, "report"), "state": state, "run_id": run_id}


def test_the_healthy_platform_is_green(healthy):
    bad = [one for one in healthy["findings"] if one["verdict"] in ("critical", "unknown")]
    assert (bad, healthy["state"]) == ([], "success")


def test_window_that_is_older_than_prometheus_is_not_judged(healthy):
    not_judged = {one["check"]: one for one in healthy["not_judged"] if "90 days" in one["reason"]}
    for check in ("slo_availability", "slo_downtime", "slo_p95"):
        assert not_judged[check]["reason"].startswith("needs 90 days, has ")


def test_the_incident_of_the_past_is_a_dent_in_the_budget(healthy, sandbox):
    [budget] = [one for one in healthy["findings"] if one["check"] == "slo_budget_left"]
    assert (budget["subject"], budget["verdict"]) == ("30 days", "ok")
    assert 0.25 < budget["value"] < 0.75


def test_first_runs_are_named_and_not_judged(healthy):
    reasons = {one["check"]: one["reason"] for one in healthy["not_judged"]}
    assert reasons["backup_success"].startswith("first run")
    assert "runs_missed" in reasons


def test_hours_and_days_are_kept(healthy, sandbox):
    with history_of(sandbox) as history:
        [(hours,)] = history.execute("SELECT count(*) FROM service_hours").fetchall()
        days = dict(
            history.execute(
                "SELECT series, count(DISTINCT day) FROM capacity_days GROUP BY series"
            ).fetchall()
        )
    assert hours > 59 * 24
    assert {name for name, count in days.items() if count > 59} >= {"requests", "cpu_used", "claim_used"}


def test_without_prometheus_nothing_is_known(entry, sandbox, healthy):
    with broken(sandbox, "prometheus_down"):
        run_id, state = entry.run(DAG_ID)
    found = entry.find_xcom(DAG_ID, run_id, "report")["findings"]
    unknown = {one["check"] for one in found if one["verdict"] == "unknown"}
    assert state == "failed"
    assert {"slo_availability", "slo_burn", "capacity_kept"} <= unknown
    waiting = "SELECT count(*) FROM alarms WHERE delivered_at IS NULL"
    with history_of(
        sandbox
    ) as history:  # an alarm that is left behind would be a finding of the next session
        history.autocommit = True
        wait_for("the message about it", lambda: history.execute(waiting).fetchall() == [(0,)])
