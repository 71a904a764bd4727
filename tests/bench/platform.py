"""The running platform, for the figures that need it: the tests' own, never that of `make demo`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.sandbox import airflow_services, airflow_settings, demo, lifecycle
from tests.sandbox.connections import connections
from tests.sandbox.for_tests import settings_for_tests
from tests.sandbox.settings import REPOSITORY, Settings


@contextmanager
def running_sandbox() -> Iterator[Settings]:
    settings = settings_for_tests()
    try:
        lifecycle.up(settings, lambda line: None)
        demo.migrate_history(settings)
        yield settings
    finally:
        lifecycle.down(settings, lambda line: None)


def connect_this_process(settings: Settings) -> None:
    """Let this very process use our package and the sandbox's Connections, without a running Airflow."""
    airflow_services.forget_foreign_settings()
    os.environ |= airflow_settings.environment(settings)
    for conn_id, connection in connections(settings).items():
        os.environ[f"AIRFLOW_CONN_{conn_id.upper()}"] = airflow_settings.connection_variable(connection)
    plugins = str(REPOSITORY / "plugins")
    if plugins not in sys.path:
        sys.path.insert(0, plugins)
