"""Sandboxes beside that of `make demo`, with folders and ports of their own, so that all can run at once."""

import dataclasses
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sandbox import airflow_services, lifecycle
from tests.sandbox.settings import REPOSITORY, Settings, load_settings

TESTS, BENCH = "test", "bench"
PORT_OFFSETS = {TESTS: 10_000, BENCH: 5_000}
"""What is added to every port; the variable SANDBOX_TEST_PORT_OFFSET (or ..._BENCH_...) says otherwise. All stay
below 32768, where the ports begin that outgoing connections take."""


def settings_for(purpose: str) -> Settings:
    """Settings as given in the environment, with the folder `.sandbox-PURPOSE` and every port moved up."""
    given = load_settings()
    offset = int(os.environ.get(f"SANDBOX_{purpose.upper()}_PORT_OFFSET", PORT_OFFSETS[purpose]))
    ports = {
        field.name: getattr(given, field.name) + offset
        for field in dataclasses.fields(Settings)
        if field.name.endswith("_port")
    }
    return dataclasses.replace(given, state_dir=REPOSITORY / f".sandbox-{purpose}", **ports)


@contextmanager
def running(purpose: str) -> Iterator[Settings]:
    """The sandbox of this purpose, up; down at the end. A second session waits until the first one ended.

    What a session that was killed left is stopped first: its processes run yesterday's code.
    """
    settings = settings_for(purpose)
    settings.state_dir.mkdir(exist_ok=True)
    with (settings.state_dir / "session.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stop(settings)
        try:
            lifecycle.up(settings, quietly)
            yield settings
        finally:
            stop(settings)


def more_dags(settings: Settings) -> Path:
    """A folder for the tests' own DAG files, beside those of the calendar."""
    folder = settings.state_dir / "dags"
    folder.mkdir(exist_ok=True)
    return folder


def stop(settings: Settings) -> None:
    airflow_services.down(settings)
    lifecycle.down(settings, quietly)


def quietly(line: str) -> None:
    """Says nothing: pytest and the bench have lines of their own."""
