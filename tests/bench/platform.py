"""The running platform, for the figures that need it: the bench's own, never that of `make demo`."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.sandbox import airflow_services, airflow_settings, demo
from tests.sandbox.connections import connections
from tests.sandbox.for_tests import BENCH, running
from tests.sandbox.settings import REPOSITORY, Settings

HELD = ExitStack()
"""What several figures share, until the last of them is measured."""


@contextmanager
def running_sandbox() -> Iterator[Settings]:
    with running(BENCH) as settings:
        demo.migrate_history(settings)
        yield settings


def process_environment(settings: Settings) -> dict[str, str]:
    """Variables for a process that uses our package and the sandbox's Connections, without a running Airflow."""
    airflow_services.forget_foreign_settings()
    shown = {
        f"AIRFLOW_CONN_{conn_id.upper()}": airflow_settings.connection_variable(connection)
        for conn_id, connection in connections(settings).items()
    }
    plugins = str(REPOSITORY / "plugins")
    return {**os.environ, **airflow_settings.environment(settings), **shown, "PYTHONPATH": plugins}
