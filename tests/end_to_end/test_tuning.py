"""The tuning runbooks in a real Airflow: a dry run, an approved and proved change, and a cache watched meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.end_to_end import approving
from tests.end_to_end.test_daily_health_check import LONG_AGO
from tests.sandbox import airflow_services, redis_server
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.postgres_servers import MAINTAINED, superuser
from tests.sandbox.settings import Settings

pytestmark = pytest.mark.end_to_end
APPROVES = "approve_settings"


@pytest.fixture(scope="module")
def entry(airflow: AirflowClient, sandbox: Settings) -> Iterator[AirflowClient]:
    for dag_id in ("tune_postgres", "tune_redis", "runbook_cache_tuning"):
        airflow.wait_for_dag(dag_id, parsed_after=LONG_AGO)
        airflow.unpause(dag_id)
    yield airflow
    with superuser(sandbox, MAINTAINED, "docrag") as connection:
        connection.execute("ALTER SYSTEM RESET ALL")
        connection.execute("SELECT pg_reload_conf()")
    with redis_server.client(sandbox) as cache:
        cache.config_set("maxmemory", "64mb")
        cache.config_rewrite()


def report_of_run(entry: AirflowClient, dag_id: str, run_id: str) -> str:
    return "\n".join(entry.log_events(dag_id, run_id, "report"))


@pytest.fixture(scope="module")
def watched(entry: AirflowClient) -> str:
    """A run that watches the cache for a minute, parked while the other tests run."""
    return entry.trigger("runbook_cache_tuning", {"window_minutes": 1})


def test_dry_run_ends_with_its_plan_and_what_is_handed_over(entry, watched, sandbox):
    run_id, state = entry.run("tune_postgres")
    assert state == "success"
    report = report_of_run(entry, "tune_postgres", run_id)
    assert "Nothing was changed: this was a dry run" in report
    assert "   planned   set effective_cache_size" in report
    assert "ALTER SYSTEM SET shared_buffers = '512MB'" in report
    with superuser(sandbox, MAINTAINED, "docrag") as connection:
        [row] = connection.execute(
            "SELECT count(*) FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf'"
        ).fetchall()
    assert row == (0,)


def approved_run(entry: AirflowClient, sandbox: Settings, dag_id: str) -> str:
    """The words of a run that `op` approved; it ended green."""
    run_id = entry.trigger(dag_id, {"dry_run": False, "settle_minutes": 0})
    approving.wait_for_question(entry, dag_id, run_id, APPROVES)
    approving.answer(airflow_services.connect(sandbox, "op"), dag_id, run_id, APPROVES, "Approve")
    assert entry.wait(dag_id, run_id) == "success"
    return " ".join(report_of_run(entry, dag_id, run_id).split())


def test_approved_settings_of_redis_are_in_effect_and_proved(entry, watched, sandbox):
    assert "approved by op: 2 done" in approved_run(entry, sandbox, "tune_redis")
    with redis_server.client(sandbox) as cache:
        assert cache.config_get("maxmemory")["maxmemory"] == str(358 * 2**20)


def test_approved_settings_of_postgres_are_in_effect_and_what_needs_a_restart_is_not_set(
    entry, watched, sandbox
):
    report = approved_run(entry, sandbox, "tune_postgres")
    assert "approved by op" in report
    with superuser(sandbox, MAINTAINED, "docrag") as connection:
        in_file = dict(
            connection.execute(
                "SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf'"
            ).fetchall()
        )
        waiting = connection.execute("SELECT count(*) FROM pg_settings WHERE pending_restart").fetchone()
        for name, value in in_file.items():
            assert connection.execute(f"SHOW {name}").fetchone() == (value,)
    assert in_file, report
    assert waiting == (0,)
    assert "shared_buffers" not in in_file


def test_cache_is_judged_over_the_window_and_nothing_is_flushed(entry, watched, sandbox):
    assert entry.wait("runbook_cache_tuning", watched) == "success"
    result = entry.find_xcom("runbook_cache_tuning", watched, "report")
    judged = {one["check"] for one in (*result["findings"], *result["not_judged"])}
    assert {"cache_window_evictions", "cache_window_hit_rate", "cache_keys_without_end"} <= judged
    assert "cache_window_evictions" in {
        one["check"] for one in result["findings"]
    }  # no first run: it has a sample
    with redis_server.client(sandbox) as cache:
        assert cache.dbsize() > 0
