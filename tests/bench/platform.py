"""The running platform, for the figures that need it: the tests' own, never that of `make demo`."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.sandbox import demo, lifecycle
from tests.sandbox.for_tests import settings_for_tests
from tests.sandbox.settings import Settings


@contextmanager
def running_sandbox() -> Iterator[Settings]:
    settings = settings_for_tests()
    try:
        lifecycle.up(settings, lambda line: None)
        demo.migrate_history(settings)
        yield settings
    finally:
        lifecycle.down(settings, lambda line: None)
