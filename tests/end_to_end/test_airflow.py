"""Airflow as `make demo` starts it: what an operator finds there."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sandbox import airflow_services, airflow_settings
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.errors import SandboxError
from tests.sandbox.settings import REPOSITORY

pytestmark = pytest.mark.end_to_end
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_every_service_runs(airflow, sandbox):
    assert all(state.startswith("up") for state in airflow_services.status(sandbox).values())


def test_connections_show_in_airflow(airflow, sandbox):
    wanted = json.loads((sandbox.state_dir / "connections.json").read_text())
    shown = airflow.call("GET", "/api/v2/connections", params={"limit": 100})["connections"]
    assert {connection["connection_id"] for connection in shown} == set(wanted)


def test_pools_show_in_airflow(airflow):
    wanted = json.loads((REPOSITORY / "include/airflow/pools.json").read_text())
    shown = airflow.call("GET", "/api/v2/pools")["pools"]
    assert {pool["name"] for pool in shown} == {"default_pool", *wanted}


def test_no_file_of_the_calendar_fails_to_load(airflow):
    airflow.wait_for_dag("daily_health_check", parsed_after=LONG_AGO)
    assert airflow.import_errors() == {}


def test_a_second_start_changes_nothing(airflow, sandbox):
    before = airflow_services.status(sandbox)
    airflow_services.up(sandbox)
    assert airflow_services.status(sandbox) == before


def test_a_viewer_may_look_and_not_trigger(airflow, sandbox):
    viewer = airflow_services.connect(sandbox, "viewer")
    viewer.wait_for_dag("daily_health_check", parsed_after=LONG_AGO)
    with pytest.raises(SandboxError, match="403"):
        viewer.trigger("daily_health_check")


def test_nobody_enters_without_logging_in(airflow, sandbox):
    with pytest.raises(SandboxError, match="401"):
        AirflowClient(airflow_settings.base_url(sandbox), "admin", "guessed")


def test_airflow_listens_on_this_machine_only(airflow, sandbox):
    tables = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    listening = re.findall(rf": ([0-9A-F]+):{sandbox.airflow_port:04X} [0-9A-F:]+ 0A ", tables)
    assert listening == ["0100007F"]  # 127.0.0.1
