"""Fixtures of the sandbox's own tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.sandbox import lifecycle
from tests.sandbox.cluster_for_tests import StandIn
from tests.sandbox.settings import Settings
from tests.sandbox.small_sandbox import small_settings


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in cluster for all tests; each leaves it as it found it."""
    running = StandIn(tmp_path_factory.mktemp("stand-in"))
    yield running
    complaints = running.stop()
    assert complaints == ""


@pytest.fixture
def trouble(stand_in: StandIn) -> Callable[[str], AbstractContextManager[None]]:
    """`with trouble("crash_loop"):` switches a fault on, and off again whatever happens."""

    @contextmanager
    def switched(name: str) -> Iterator[None]:
        stand_in.fault(name, on=True)
        try:
            yield
        finally:
            stand_in.fault(name, on=False)

    return switched


@pytest.fixture(scope="session")
def small_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A whole sandbox with little data; each test leaves it healthy."""
    settings = small_settings(tmp_path_factory.mktemp("small"))
    try:
        lifecycle.up(settings)
        yield settings
    finally:
        lifecycle.down(settings, with_data=True)
