"""The performance review in a real Airflow: what a healthy platform is found to be, and what a missing extension is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.end_to_end.test_daily_health_check import LONG_AGO, history_of
from tests.end_to_end.test_daily_log_maintenance import wait_for
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end

DAG_ID = "weekly_performance_review"


@pytest.fixture(scope="module")
def entry(airflow: AirflowClient, sandbox: Settings) -> AirflowClient:
    """Airflow with a history that begins now: what earlier sessions left is not this one's."""
    airflow.wait_for_dag(DAG_ID, parsed_after=LONG_AGO)
    airflow.unpause(DAG_ID)
    with history_of(sandbox) as history:
        history.execute("TRUNCATE statements, charts")
    return airflow


def review(entry: AirflowClient) -> dict[str, Any]:
    run_id, state = entry.run(DAG_ID)
    return {**entry.find_xcom(DAG_ID, run_id, "report"), "state": state, "run_id": run_id}


@pytest.fixture(scope="module")
def first(entry: AirflowClient) -> dict[str, Any]:
    return review(entry)


@pytest.fixture(scope="module")
def second(entry: AirflowClient, first: dict[str, Any], sandbox: Settings) -> dict[str, Any]:
    """A run that finds the snapshot of the first, as if it were from the day before."""
    with history_of(sandbox) as history:
        history.execute("UPDATE statements SET taken_at = taken_at - interval '1 day'")
    return review(entry)


def test_first_run_has_no_week_and_says_so(first):
    reasons = {one["check"]: one["reason"] for one in first["not_judged"]}
    assert reasons["query_slow"].startswith("first run")
    assert "query_slow" not in {one["check"] for one in first["findings"]}


def test_the_healthy_platform_is_green(first, second):
    """It may have warnings, as any real database: an index that nobody uses is no fault."""
    for result in (first, second):
        bad = [one for one in result["findings"] if one["verdict"] in ("critical", "unknown")]
        assert (bad, result["state"]) == ([], "success")


def test_second_run_judges_what_was_called_since_the_first(second):
    found = {one["check"] for one in second["findings"]}
    assert {"query_snapshot_age", "query_load", "query_slow", "query_statistics_reset"} <= found
    [reset] = [one for one in second["findings"] if one["check"] == "query_statistics_reset"]
    assert reset["verdict"] == "ok"


def test_every_route_is_judged_against_the_week_before(first):
    [p95] = [one for one in first["findings"] if one["check"] == "route_p95_change"]
    assert p95["verdict"] == "ok"
    assert "/query" in p95["evidence"]


def test_charts_of_the_run_are_kept(first, sandbox):
    with history_of(sandbox) as history:
        kept = history.execute(
            "SELECT DISTINCT kind FROM charts WHERE run_id = %s", [first["run_id"]]
        ).fetchall()
    assert {kind for (kind,) in kept} == {"requests", "p95", "p99", "error_ratio"}


def test_missing_extension_is_unknown_with_the_remedy(entry, sandbox, second):
    with superuser(sandbox, MAINTAINED, "docrag") as connection:
        connection.execute("DROP EXTENSION pg_stat_statements")
        try:
            result = review(entry)
        finally:
            connection.execute("CREATE EXTENSION pg_stat_statements")
    unknown = {one["check"]: one for one in result["findings"] if one["verdict"] == "unknown"}
    assert result["state"] == "failed"
    assert set(unknown) == {
        "query_snapshot_age",
        "query_load",
        "query_slow",
        "query_slower",
        "query_statistics_reset",
        "query_evictions",
    }
    assert "CREATE EXTENSION pg_stat_statements" in unknown["query_slow"]["evidence"]
    waiting = "SELECT count(*) FROM alarms WHERE delivered_at IS NULL"
    with history_of(
        sandbox
    ) as history:  # an alarm that is left behind would be a finding of the next session
        history.autocommit = True
        wait_for("the message about it", lambda: history.execute(waiting).fetchall() == [(0,)])
