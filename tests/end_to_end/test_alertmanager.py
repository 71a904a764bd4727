"""Findings in the real Alertmanager: told, told again when it forgot, silenced, resolved only when measured again."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
import requests

from tests.sandbox import lifecycle, parts
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.connections import connections
from tests.sandbox.faults import registry
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end
DAG_ID = "daily_health_check"
FINDING = {"alertname": "qdrant_collection_status", "subject": "documents", "severity": "critical"}


class Alertmanager:
    """The real one, asked as a person's tools ask it."""

    def __init__(self, settings: Settings) -> None:
        self.url = f"http://127.0.0.1:{settings.alertmanager_port}/api/v2"

    def alerts(self, **labels: str) -> list[dict[str, Any]]:
        """The alerts that fire, with these labels."""
        found = requests.get(f"{self.url}/alerts", timeout=10).json()
        return [one for one in found if labels.items() <= one["labels"].items()]

    def silence(self, **labels: str) -> str:
        matchers = [
            {"name": name, "value": value, "isRegex": False, "isEqual": True}
            for name, value in labels.items()
        ]
        now = datetime.now(UTC)
        body = {
            "matchers": matchers,
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=2)).isoformat(),
            "createdBy": "ada@example.org",
            "comment": "the collection is being rebuilt",
        }
        answer = requests.post(f"{self.url}/silences", json=body, timeout=10)
        silence_id: str = answer.json()["silenceID"]
        return silence_id

    def expire(self, silence_id: str) -> None:
        requests.delete(f"{self.url}/silence/{silence_id}", timeout=10)


@pytest.fixture(scope="module")
def alertmanager(airflow: AirflowClient, sandbox: Settings) -> Alertmanager:
    airflow.wait_for_dag(DAG_ID, parsed_after=datetime(2020, 1, 1, tzinfo=UTC))
    return Alertmanager(sandbox)


@pytest.fixture(scope="module")
def red_collection(sandbox: Settings) -> Iterator[ExitStack]:
    """One finding for the tests of this module, which are a story; closing the stack mends it."""
    with ExitStack() as stack:
        stack.enter_context(broken(sandbox, "qdrant_collection_red"))
        yield stack


@contextmanager
def broken(sandbox: Settings, fault: str) -> Iterator[None]:
    with lifecycle.lock(sandbox):
        registry.turn_on(sandbox, fault)
    try:
        yield
    finally:
        with lifecycle.lock(sandbox):
            registry.turn_off(sandbox, fault)


def check(airflow: AirflowClient) -> tuple[str, dict[str, Any]]:
    """A run of the health check: its id, and its result."""
    run_id, _ = airflow.run(DAG_ID)
    return run_id, airflow.find_xcom(DAG_ID, run_id, "report")


def test_finding_is_an_alert_until_the_next_run_is_late(airflow, alertmanager, red_collection):
    run_id, _ = check(airflow)
    (alert,) = alertmanager.alerts(**FINDING)
    assert (alert["labels"]["environment"], alert["labels"]["area"]) == ("docrag-prod", "qdrant")
    assert {"summary", "remedy", "runbook", "run"} <= set(alert["annotations"])
    assert run_id.partition("T")[0] in alert["generatorURL"]
    ends_at = datetime.fromisoformat(alert["endsAt"])
    assert (ends_at.hour, ends_at.minute) == (9, 30)
    assert timedelta(0) < ends_at - datetime.now(UTC) < timedelta(days=1, minutes=30)


def test_restarted_alertmanager_is_told_again_since_when(airflow, alertmanager, sandbox, red_collection):
    (before,) = alertmanager.alerts(**FINDING)
    parts.part("alertmanager").stop(sandbox)
    parts.part("alertmanager").start(sandbox)
    assert alertmanager.alerts(**FINDING) == []
    airflow.run("deliver_alarms")
    (after,) = alertmanager.alerts(**FINDING)
    assert after["startsAt"] == before["startsAt"]
    assert len(alertmanager.alerts(alertname="Watchdog")) == 1


def test_silenced_finding_is_shown_with_its_owner_and_counts(airflow, alertmanager, sandbox, red_collection):
    silence_id = alertmanager.silence(alertname=FINDING["alertname"])
    try:
        run_id, result = check(airflow)
    finally:
        alertmanager.expire(silence_id)
    assert ("qdrant_collection_status", "critical") in verdicts(result)
    shown = "\n".join(airflow.log_events(DAG_ID, run_id, "report"))
    assert "silenced  qdrant_collection_status, documents: until" in shown
    assert "by ada@example.org: the collection is being rebuilt" in shown
    (kept,) = history(sandbox, "SELECT silences FROM reports WHERE run_id = %s", run_id)
    assert [one["owner"] for one in kept[0] if one["check"] == "qdrant_collection_status"] == [
        "ada@example.org"
    ]


def test_finding_that_cannot_be_measured_is_not_resolved(airflow, alertmanager, sandbox, red_collection):
    with broken(sandbox, "qdrant_down"):
        _, result = check(airflow)
    assert ("qdrant_collection_status", "unknown") in verdicts(result)
    assert len(alertmanager.alerts(**FINDING)) == 1
    assert len(alertmanager.alerts(alertname="qdrant_collection_status", severity="unknown")) == 1


def test_finding_that_is_measured_and_good_is_resolved(airflow, alertmanager, sandbox, red_collection):
    red_collection.close()
    check(airflow)
    assert alertmanager.alerts(alertname="qdrant_collection_status") == []
    rows = history(
        sandbox,
        "SELECT resolution FROM open_findings WHERE check_name = %s AND told_resolved_at IS NOT NULL",
        "qdrant_collection_status",
    )
    assert {"it is within its limits, or gone"} == {row[0] for row in rows}


def test_alertmanager_that_is_down_is_found_and_recorded(airflow, alertmanager, sandbox):
    with broken(sandbox, "alertmanager_down"):
        run_id, result = check(airflow)
        assert airflow.run("deliver_alarms")[1] == "failed"
    assert ("alertmanager_told", "unknown") in verdicts(result)
    (kept,) = history(sandbox, "SELECT result FROM reports WHERE run_id = %s", run_id)
    assert ("alertmanager_told", "unknown") in verdicts(kept[0])
    assert airflow.run("deliver_alarms")[1] == "success"


def verdicts(result: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["check"], one["verdict"]) for one in result["findings"]}


def history(sandbox: Settings, query: str, *values: object) -> list[tuple[Any, ...]]:
    known = connections(sandbox)["docrag_history"]
    with psycopg.connect(
        host=known["host"],
        port=known["port"],
        user=known["login"],
        password=known["password"],
        dbname=known["schema"],
    ) as connection:
        return connection.execute(query, values).fetchall()
