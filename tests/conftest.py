"""Airflow in the tests' own process, set up before anything imports it, away from a person's own; and the running
platform, for the tests that ask for it.

    sandbox   the platform in miniature: its Settings
    airflow   Airflow on top of it: a client of the user admin

Both start at the first test that asks and are stopped at the end.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.counts import COUNTS
from tests.sandbox import airflow_services, demo
from tests.sandbox.airflow_client import AirflowClient
from tests.sandbox.for_tests import TESTS, more_dags, quietly, running
from tests.sandbox.settings import Settings

ROOT = Path(__file__).parents[1]

for name in [name for name in os.environ if name.startswith("AIRFLOW_")]:
    del os.environ[name]
_home = tempfile.TemporaryDirectory(prefix="docrag-airflow-home-")  # removed when the process ends
os.environ |= {
    "AIRFLOW_HOME": _home.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was counted: checks with a fault and a healthy twin, faults found end to end."""
    for name, count in sorted(COUNTS.items()):
        terminalreporter.write_line(f"{count:4} {name}")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Settings]:
    with running(TESTS) as settings:
        yield settings


@pytest.fixture(scope="session")
def airflow(sandbox: Settings) -> AirflowClient:
    demo.migrate_history(sandbox)
    client = airflow_services.up(sandbox, quietly, more_dags=more_dags(sandbox))
    demo.wait_for_entries(client)
    return client
