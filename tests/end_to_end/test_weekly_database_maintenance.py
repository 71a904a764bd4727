"""The database maintenance in a real Airflow: a dry run, and a run within the environment's limits."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end

DAG_ID = "weekly_database_maintenance"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
# A day older than the policy's limit: rows that get there meanwhile are no fault.
OLD_SESSIONS = "FROM user_sessions WHERE last_seen_at < now() - interval '31 days'"
OLD_LOGS = "FROM audit_logs WHERE created_at < now() - interval '91 days'"
MAKE_OLD = (
    "UPDATE user_sessions SET last_seen_at = now() - interval '100 days' WHERE id % 20 = 0",
    "UPDATE audit_logs SET created_at = now() - interval '100 days' WHERE id % 20 = 0",
)


@pytest.fixture(scope="module")
def entry(airflow: AirflowClient) -> AirflowClient:
    airflow.wait_for_dag(DAG_ID, parsed_after=LONG_AGO)
    airflow.unpause(DAG_ID)
    return airflow


@pytest.fixture(autouse=True)
def old_rows(sandbox: Settings) -> None:
    """Some old sessions and audit rows, within the environment's share, whatever an earlier run has left."""
    with superuser(sandbox, MAINTAINED, "docrag") as session:
        for what in (OLD_SESSIONS, OLD_LOGS):
            session.execute(f"DELETE {what} AND id % 10 <> 0")
        for make_old in MAKE_OLD:
            session.execute(make_old)
        session.execute("ANALYZE user_sessions, audit_logs")


def count(sandbox: Settings, what: str) -> int:
    with superuser(sandbox, MAINTAINED, "docrag") as session:
        return int(session.execute(f"SELECT count(*) {what}").fetchone()[0])


def old_sessions(sandbox: Settings) -> list[int]:
    with superuser(sandbox, MAINTAINED, "docrag") as session:
        return [row[0] for row in session.execute(f"SELECT id {OLD_SESSIONS}")]


def still_there(sandbox: Settings, sessions: list[int]) -> int:
    """How many of these sessions exist: the application may have come back to one, which makes it young."""
    with superuser(sandbox, MAINTAINED, "docrag") as session:
        found = session.execute("SELECT count(*) FROM user_sessions WHERE id = ANY(%s)", [sessions])
        return int(found.fetchone()[0])


def report_of(entry: AirflowClient, run_id: str) -> str:
    return "\n".join(entry.log_events(DAG_ID, run_id, "report"))


def findings(entry: AirflowClient, run_id: str) -> dict[str, dict[str, Any]]:
    result = entry.find_xcom(DAG_ID, run_id, "report")
    return {finding["check"]: finding for finding in result["findings"]}


def test_dry_run_shows_what_it_would_do(entry: AirflowClient, sandbox: Settings):
    before = old_sessions(sandbox)
    assert before
    run_id, state = entry.run(DAG_ID, {"dry_run": True})
    assert state == "success", report_of(entry, run_id)
    planned = findings(entry, run_id)["database_maintenance_planned"]["evidence"]
    assert re.match(
        r"Delete [\d,]+ rows of public.user_sessions and [\d,]+ rows of public.audit_logs; ", planned
    )
    assert "Nothing was changed: this was a dry run" in report_of(entry, run_id)
    assert still_there(sandbox, before) == len(before)


def test_run_within_the_limits_does_its_work_and_proves_it(entry: AirflowClient, sandbox: Settings):
    run_id, state = entry.run(DAG_ID)
    report = report_of(entry, run_id)
    assert state == "success", report
    assert (count(sandbox, OLD_SESSIONS), count(sandbox, OLD_LOGS)) == (0, 0)
    proof = findings(entry, run_id)["database_maintenance_proved"]["evidence"]
    assert "Applied within policy: " in proof
    assert "invalid indexes: 0 before, 0 after" in proof
    assert re.search(r"rows beyond retention public.audit_logs: [1-9][\d,]* before, 0 after", proof)
    assert list((sandbox.archive_dir / "public.audit_logs").glob("*.jsonl.gz"))
